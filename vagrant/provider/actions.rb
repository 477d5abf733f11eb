# What each Vagrant command does with a machine, as chains of steps.
module ContainQemu
  # A step from a block; the chain goes on after it.
  def self.step(&block)
    Class.new do
      define_method(:initialize) { |app, _env| @app = app }
      define_method(:call) do |env|
        block.call(env, env[:machine], env[:machine].provider.qemu)
        @app.call(env)
      end
    end
  end

  BuildBox = step do |env, machine, _|
    builder = machine.provider_config.box_builder
    next if machine.box || builder.nil?

    # Its own words are the progress that is seen; standard output holds only a path.
    system(*builder, out: File::NULL) or raise Error, "the box #{machine.config.vm.box} could not be built, see above"
    env[:ui].detail("box: #{machine.config.vm.box_url.first}")
  end

  Create = step do |_, machine, qemu|
    qemu.create_disk(machine.box.directory)
    machine.id = "#{machine.name}-#{Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond)}"
  end

  # True once sshd answers.
  def self.boot(env, machine, qemu, name, why, deadline)
    config = machine.provider_config
    qemu.start(name: machine.name.to_s, config: config, accelerator: name, snapshot: env[:restore])
    env[:ui].info("#{Accelerator.title(name)} (#{why}), #{config.cpus} CPUs, #{config.memory} MiB, ssh on 127.0.0.1:#{qemu.ssh_port}")
    qemu.wait_for_ssh(deadline)
  rescue Error => error
    raise unless name == "kvm"
    env[:ui].warn(error.message)
    false
  end

  Boot = step do |env, machine, qemu|
    began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    patience = machine.config.vm.boot_timeout
    deadline = machine.provider_config.kvm_deadline
    name, why = Accelerator.choose(qemu.read("no_kvm"))
    up = boot(env, machine, qemu, name, why, name == "kvm" ? deadline : patience)
    if !up && name == "kvm"
      qemu.kill
      File.write(qemu.path("no_kvm"), "it did not come up under KVM")
      up = boot(env, machine, qemu, "tcg", qemu.read("no_kvm"), patience)
    end
    unless up && machine.communicate.wait_for_ready(patience)
      raise Error, "#{machine.name} does not answer on ssh; its console's last words, from #{qemu.path('console.log')}:\n" +
                   File.readlines(qemu.path("console.log")).last(15).join
    end
    env[:ui].info(format("up after %.0f s", Process.clock_gettime(Process::CLOCK_MONOTONIC) - began))
  end

  Halt = step { |env, _, qemu| qemu.stop(env[:force_halt] ? 0 : 60) }

  Destroy = step do |env, machine, qemu|
    qemu.destroy
    machine.id = nil
    env[:ui].info("destroyed")
  end

  Save = step { |env, _, qemu| qemu.monitor("savevm #{env[:snapshot_name]}") }

  Restore = step do |env, machine, qemu|
    qemu.monitor("loadvm #{env[:snapshot_name]}")
    # The connection we may have is unknown to the guest that came back.
    machine.communicate.reset!
    machine.communicate.wait_for_ready(machine.config.vm.boot_timeout) or raise Error, "no ssh after the snapshot was restored"
  end

  # A guest from a snapshot believes in the hour when it was saved.
  SetClock = step { |_, machine, _| machine.communicate.sudo("date --set=@#{Time.now.to_i}") }

  Delete = step { |env, _, qemu| qemu.delete_snapshot(env[:snapshot_name]) }

  Say = Class.new do
    def initialize(app, _env, words)
      @app = app
      @words = words
    end

    def call(env)
      env[:ui].info(@words)
      @app.call(env)
    end
  end

  # One public method for each of Vagrant's actions.
  class Actions
    include Vagrant::Action::Builtin

    def up
      chain(ConfigValidate) do |b|
        b.use Call, IsState, Vagrant::MachineState::NOT_CREATED_ID do |env, c|
          [BuildBox, HandleBox, Create].each { |step| c.use step } if env[:result]
          c.use start
        end
      end
    end

    def start
      chain(Provision) do |b|
        b.use Call, IsState, :running do |env, c|
          c.use Boot unless env[:result]
        end
      end
    end

    def halt = created { |b| b.use Halt }

    def reload
      created do |b|
        b.use ConfigValidate
        b.use Halt
        b.use start
      end
    end

    def destroy
      created do |b|
        b.use Call, DestroyConfirm do |env, c|
          c.use Destroy if env[:result]
        end
      end
    end

    # Without a name `vagrant provision` goes through all guests, of which most don't exist: no error.
    def provision
      created do |b|
        b.use Call, IsState, :running do |env, c|
          env[:result] ? c.use(Provision) : c.use(Say, "not running")
        end
      end
    end

    def ssh = running { |b| b.use SSHExec }
    def ssh_run = running { |b| b.use SSHRun }

    def snapshot_save = running { |b| b.use Save }
    def snapshot_delete = created { |b| b.use Delete }

    def snapshot_restore
      created do |b|
        b.use Call, IsState, :running do |env, c|
          env[:result] ? c.use(Restore) : wake(env, c)
          c.use SetClock
          c.use Delete if env[:snapshot_delete]
        end
      end
    end

    private

    # A machine that is off starts right inside the snapshot.
    def wake(env, chain)
      env[:restore] = env[:snapshot_name]
      chain.use Boot
    end

    def chain(*steps)
      Vagrant::Action::Builder.new.tap do |builder|
        steps.each { |step| builder.use step }
        yield builder
      end
    end

    def created
      chain do |b|
        b.use Call, IsState, Vagrant::MachineState::NOT_CREATED_ID do |env, c|
          env[:result] ? c.use(Say, "not created") : yield(c)
        end
      end
    end

    def running
      chain do |b|
        b.use Call, IsState, :running do |env, c|
          raise Vagrant::Errors::VMNotRunningError unless env[:result]
          yield(c)
        end
      end
    end
  end
end
