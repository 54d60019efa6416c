import Glibc

exit(Program.run(arguments: CommandLine.unsafeArgv, count: CommandLine.argc))
