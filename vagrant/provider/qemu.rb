# One qemu process and its disk, both known by the folder in which Vagrant keeps the machine.
require "fileutils"
require "io/wait"
require "json"
require "open3"
require "socket"
require "tmpdir"

module ContainQemu
  class Qemu
    # <asm-generic/unistd.h>; Ruby has no name for it. A pidfd becomes readable when its process ends.
    PIDFD_OPEN = 434
    # <asm/unistd_64.h>, <linux/prctl.h>
    PRCTL = 157
    PR_SET_THP_DISABLE = 41

    def initialize(folder)
      @folder = folder
    end

    def path(name) = @folder.join(name).to_s
    def read(name) = File.exist?(path(name)) ? File.read(path(name)).strip : nil
    def ssh_port = read("ssh_port").to_i

    # The process, if it runs and is ours: the kernel may have given the number to another one since.
    def pid
      number = read("qemu.pid").to_i
      number.positive? && File.read("/proc/#{number}/cmdline").include?(path("disk.qcow2")) ? number : nil
    rescue Errno::ENOENT, Errno::ESRCH
      nil
    end

    def create_disk(base)
      tool("create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base.join("box.img").to_s, path("disk.qcow2"))
      # The kernel belongs to the disk: a later recipe's box must not be mixed into a machine made from an earlier one.
      File.write(path("box"), base.to_s)
    end

    def start(name:, config:, accelerator:, snapshot: nil)
      # Ruby forgoes huge pages at its start, and so would all that it starts. A guest's memory is slow without them.
      syscall(PRCTL, PR_SET_THP_DISABLE, 0, 0, 0, 0)
      # Keep the port where it's free, so that an ssh configuration once written outlives a restart; 0 lets the kernel choose.
      [ssh_port, 0].uniq.each do |port|
        words, status = Open3.capture2e(*command(name, config, accelerator, port, snapshot))
        break if status.success?
        raise Error, "qemu does not start: #{words.strip}" unless words.include?("host forwarding") && port.positive?
      end
      File.write(path("ssh_port"), monitor("info usernet")[/HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)/, 1])
    end

    # Waits until sshd greets. False when the time is over, or qemu has gone.
    def wait_for_ssh(seconds)
      deadline = now + seconds
      while now < deadline && pid
        return true if ssh_greets?(seconds: 2)
        break if wait_exit(0.2)
      end
      false
    end

    # True once the process is gone. Waits no longer than so many seconds.
    def wait_exit(seconds)
      number = pid or return true
      process = IO.for_fd(syscall(PIDFD_OPEN, number, 0))
      !process.wait_readable(seconds).nil?
    rescue Errno::ESRCH
      true
    ensure
      process&.close
    end

    # Power button first; what has not gone down after so many seconds is killed.
    def stop(seconds)
      if pid && seconds.positive?
        monitor("system_powerdown")
        wait_exit(seconds)
      end
      kill
    end

    def kill
      number = pid
      Process.kill(:KILL, number) if number
      wait_exit(10)
      FileUtils.rm_rf(read("runtime")) if read("runtime")
      %w[runtime qemu.pid].each { |name| FileUtils.rm_f(path(name)) }
    rescue Errno::ESRCH
      retry
    end

    def destroy
      kill
      %w[disk.qcow2 box ssh_port no_kvm console.log].each { |name| FileUtils.rm_f(path(name)) }
    end

    # Read from the file itself, which works with and without a process.
    def snapshots
      info = JSON.parse(tool("info", "--force-share", "--output=json", path("disk.qcow2")))
      info.fetch("snapshots", []).map { |snapshot| snapshot["name"] }
    end

    def delete_snapshot(name) = pid ? monitor("delvm #{name}") : tool("snapshot", "-d", name, path("disk.qcow2"))

    # A line of qemu's human monitor, carried by its machine protocol. These lines are silent unless they fail.
    def monitor(line)
      UNIXSocket.open(File.join(read("runtime"), "qmp")) do |socket|
        ask(socket, nil)
        ask(socket, execute: "qmp_capabilities")
        ask(socket, execute: "human-monitor-command", arguments: { "command-line": line }).tap do |answer|
          raise Error, "qemu refuses '#{line}': #{answer.strip}" if answer.match?(/^error/i)
        end
      end
    end

    private

    def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

    def tool(*words)
      output, status = Open3.capture2e("qemu-img", *words)
      status.success? ? output : raise(Error, "qemu-img #{words.first}: #{output.strip}")
    end

    def ask(socket, request)
      socket.puts(JSON.generate(request)) if request
      while (line = socket.gets)
        answer = JSON.parse(line)
        raise Error, answer["error"]["desc"] if answer["error"]
        return answer.fetch("return") { answer["QMP"] } unless answer["event"]
      end
      raise Error, "qemu closed its monitor"
    end

    # qemu accepts in the guest's stead, so that a connection alone says nothing.
    def ssh_greets?(seconds:)
      Socket.tcp("127.0.0.1", ssh_port, connect_timeout: seconds) do |socket|
        socket.wait_readable(seconds) && socket.readpartial(4) == "SSH-"
      end
    rescue SystemCallError, EOFError
      false
    end

    # A socket's path must be short (107 bytes), however deep the checkout. Written down, because the next command's environment
    # may lead elsewhere.
    def runtime_folder
      return read("runtime") if read("runtime") && File.directory?(read("runtime"))

      own = ENV["XDG_RUNTIME_DIR"].to_s
      parent = own != "" && own.size < 60 && File.writable?(own) ? own : "/tmp"
      Dir.mktmpdir("contain-vm-", parent).tap { |folder| File.write(path("runtime"), folder) }
    end

    def command(name, config, accelerator, port, snapshot)
      box = read("box")
      [
        "qemu-system-x86_64", "-name", name, "-daemonize", "-pidfile", path("qemu.pid"),
        "-machine", "q35", "-smp", config.cpus.to_s, "-m", config.memory.to_s, *Accelerator::ARGUMENTS[accelerator],
        "-nodefaults", "-no-user-config", "-display", "none",
        "-kernel", "#{box}/vmlinuz", "-initrd", "#{box}/initrd.img", "-append", [config.cmdline, *Accelerator::KERNEL[accelerator]].join(" "),
        "-chardev", "file,id=console,append=on,path=#{escape(path('console.log'))}", "-serial", "chardev:console",
        "-qmp", "unix:#{runtime_folder}/qmp,server=on,wait=off",
        # unsafe: the guest's disk need not outlive a crash of the host
        "-drive", "if=none,id=disk,format=qcow2,cache=unsafe,discard=unmap,file=#{escape(path('disk.qcow2'))}",
        "-device", "virtio-blk-pci,drive=disk",
        "-netdev", "user,id=net,ipv6=off,hostfwd=tcp:127.0.0.1:#{port}-:22", "-device", "virtio-net-pci,netdev=net,romfile=",
        "-device", "virtio-rng-pci", *(snapshot ? ["-loadvm", snapshot] : [])
      ]
    end

    # qemu's options are separated by commas; a doubled one stands for itself.
    def escape(text) = text.gsub(",", ",,")
  end
end
