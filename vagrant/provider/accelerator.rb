# KVM or emulation, decided by looking.
module ContainQemu
  module Accelerator
    ARGUMENTS = {
      "kvm" => %w[-accel kvm -cpu host],
      # Several threads and a large cache of translated code: half the boot time of qemu's defaults. A plain processor, because
      # whatever is newer is used by the guest for speed, and emulated slowly.
      "tcg" => %w[-accel tcg,thread=multi,tb-size=1024 -cpu qemu64]
    }.freeze

    # Words for the guest's kernel. qemu finds code that it has translated by its virtual address: at random addresses each process
    # is translated anew, which made a fork and exec three times as slow. Mitigations are for processors that speculate.
    KERNEL = { "kvm" => [], "tcg" => %w[norandmaps mitigations=off] }.freeze

    # The name and, in a few words, why. `failed` tells how this machine's earlier start under KVM ended, if badly.
    def self.choose(failed = nil)
      forced = ENV["CONTAIN_ACCEL"].to_s
      if forced != ""
        raise Error, "CONTAIN_ACCEL must be kvm or tcg" unless ARGUMENTS.key?(forced)
        return [forced, "CONTAIN_ACCEL says so"]
      end
      return ["tcg", failed] if failed
      return ["tcg", "/dev/kvm is not writable"] unless File.writable?("/dev/kvm")
      # Some virtual machines have a /dev/kvm that opens but can't run an ordinary kernel.
      return ["tcg", "/proc/cpuinfo has neither vmx nor svm"] unless File.read("/proc/cpuinfo").match?(/^flags\s*:.*\b(vmx|svm)\b/)

      ["kvm", "/dev/kvm is writable"]
    end

    def self.title(name) = name == "kvm" ? "KVM" : "emulation"
  end
end
