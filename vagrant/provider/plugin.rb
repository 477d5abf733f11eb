# contain_qemu: a Vagrant provider that runs qemu as the caller's own process. No daemon, no root, no host network: ssh is forwarded
# from a port of 127.0.0.1. It lives in the tree and is loaded by the Vagrantfile, so there is no plugin to install.
require "vagrant"

module ContainQemu
  class Plugin < Vagrant.plugin("2")
    name "contain_qemu"
    description "Runs a guest under qemu, without root or daemons."

    # Boxes are libvirt's kind, with a kernel and an initrd beside the disk: one box serves both providers.
    provider(:contain_qemu, box_format: "libvirt", parallel: false) { Provider }
    config(:contain_qemu, :provider) { Config }
    provider_capability(:contain_qemu, :snapshot_list) { Snapshots }
  end

  class Config < Vagrant.plugin("2", :config)
    # box_builder: a command that makes the box's file where it is missing; kvm_deadline: seconds until ssh must answer under KVM
    attr_accessor :cpus, :memory, :cmdline, :box_builder, :kvm_deadline

    def initialize
      @cpus = @memory = @cmdline = @box_builder = @kvm_deadline = UNSET_VALUE
    end

    def finalize!
      @cpus = 2 if @cpus == UNSET_VALUE
      @memory = 1024 if @memory == UNSET_VALUE
      @cmdline = "root=/dev/vda rw console=ttyS0" if @cmdline == UNSET_VALUE
      @box_builder = nil if @box_builder == UNSET_VALUE
      @kvm_deadline = 60 if @kvm_deadline == UNSET_VALUE
    end
  end

  class Error < Vagrant::Errors::VagrantError
    def initialize(message)
      @text = message
      super()
    end

    def error_message = @text
  end

  module Snapshots
    def self.snapshot_list(machine) = machine.provider.qemu.snapshots
  end

  class Provider < Vagrant.plugin("2", :provider)
    attr_reader :qemu

    def initialize(machine)
      @machine = machine
      @qemu = Qemu.new(machine.data_dir)
    end

    def action(name) = Actions.public_method_defined?(name) ? Actions.new.public_send(name) : nil

    def state
      return Vagrant::MachineState.new(Vagrant::MachineState::NOT_CREATED_ID, "not created", "") if @machine.id.nil?

      id = @qemu.pid ? :running : :poweroff
      Vagrant::MachineState.new(id, id.to_s, "console: #{@qemu.path('console.log')}")
    end

    def ssh_info = @qemu.pid && { host: "127.0.0.1", port: @qemu.ssh_port }

    def to_s = "contain_qemu (#{@machine.id || 'not created'})"
  end
end

require_relative "qemu"
require_relative "accelerator"
require_relative "actions"
