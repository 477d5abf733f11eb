"""The interface, its addresses, its route, and what it leaves on the host."""

from tests.mutation.mutants import Edit, Mutant

MUTANTS = (
    Mutant(
        "no-loopback",
        "The loopback interface stays down.",
        (Edit("contain/network.py", "netlink.ifinfomsg(1, netlink.IFF_UP, netlink.IFF_UP)", "netlink.ifinfomsg(1, 0, 0)"),),
        ("test_network.py::test_without_an_address_there_is_loopback_only",),
    ),
    Mutant(
        "leaked-veth",
        "A second pair is made, both ends on the host, where nobody takes it away.",
        (
            Edit(
                "contain/network.py",
                "                return\n            except OSError as error:  # by chance",
                '                body = netlink.veth(self.name + b"x", self.bridge.index, HOST_MAC, self.name + b"y", mac,\n'
                "                                    self.bridge.mtu, posix.getpid())\n"
                "                self.socket.request(netlink.RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body)\n"
                "                return\n            except OSError as error:  # by chance",
            ),
        ),
        ("test_network.py::test_an_address_is_free_again_when_its_program_has_ended",),
    ),
    Mutant(
        "another-mac-each-time",
        "The interface gets a new link-layer address with each launch, and the neighbours' tables are wrong.",
        (Edit("contain/network.py", 'return b"\\x02\\xca" + address.raw', 'return b"\\x02\\xca" + posix.urandom(4)'),),
        ("test_network.py::test_the_link_layer_address_is_the_same_after_a_restart",),
    ),
    Mutant(
        "bridge-changes-its-mac",
        "The host's ends have low addresses, and the bridge takes the lowest for its own.",
        (
            Edit(
                "contain/network.py",
                'self.bridge.index, HOST_MAC, b"eth0"',
                'self.bridge.index, b"\\2" + (0xFFFFFFFFFF - posix.getpid()).to_bytes(5, "big"), b"eth0"',
            ),
        ),
        ("test_network.py::test_the_bridge_keeps_its_own_address_while_programs_come_and_go",),
    ),
    Mutant(
        "address-without-prefix",
        "The address is alone in a subnet of its own, and no neighbour is reached.",
        (
            Edit("contain/network.py", "a.raw, a.prefix)", "a.raw, a.bits)"),
            Edit("contain/plan.py", "        if gateway is not None:\n", "        if False:\n"),
        ),
        ("test_network.py::test_there_is_loopback_and_one_link_with_the_address",),
    ),
    Mutant(
        "wrong-gateway",
        "The default route leads to an address that nobody has.",
        (Edit("contain/network.py", "self.gateway.raw)", 'self.gateway.raw[:-1] + b"\\xfa")'),),
        ("test_network.py::test_the_default_route_is_the_bridge",),
    ),
    Mutant(
        "address-given-twice",
        "Two contained programs may have the same address.",
        (
            Edit("contain/reservation.py", "        self.reserve.owner(self.socket)\n", "        pass\n"),
            Edit("contain/reservation.py", "                owner = self.owner(socket)\n", "                return\n"),
        ),
        ("test_network.py::test_an_address_in_use_is_refused",),
    ),
    Mutant(
        "strangers-unasked",
        "An address that another machine on the bridge has is taken all the same.",
        (Edit("contain/network.py", "if state & netlink.NUD_REACHABLE and", "if False and"),),
        ("test_inputs_address.py::test_an_address_of_another_machine_is_refused",),
    ),
    Mutant(
        "ipv6-tentative",
        "An IPv6 address can't be used until nobody has objected to it for a second.",
        (Edit("contain/netlink.py", "IFA_F_NODAD if family == linux.AF_INET6 else 0", "0"),),
        ("test_network.py::test_two_contained_programs_speak_ipv6[6]",),
    ),
)
