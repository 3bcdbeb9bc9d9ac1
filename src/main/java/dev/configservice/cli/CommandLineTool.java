package dev.configservice.cli;

import dev.configservice.cluster.Release;
import dev.configservice.error.ServiceException;
import dev.configservice.settings.Settings;
import dev.configservice.settings.SettingsException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Parameters;

/** The commands of the jar besides running the service: those that call a service, and those that maintain one. */
public final class CommandLineTool {
    private static final Map<String, Supplier<Object>> COMMANDS = commands();

    private CommandLineTool() {}

    private static Map<String, Supplier<Object>> commands() {
        Map<String, Supplier<Object>> all = new LinkedHashMap<>();
        all.put("get", ConfigurationCommands.Get::new);
        all.put("set", ConfigurationCommands.SetValue::new);
        all.put("delete", ConfigurationCommands.Delete::new);
        all.put("list", ConfigurationCommands.ListAll::new);
        all.put("diff", ConfigurationCommands.Diff::new);
        all.put("export", TransferCommands.Export::new);
        all.put("apply", TransferCommands.Apply::new);
        all.put("flags", FlagCommands.Flags::new);
        all.put("evaluate", FlagCommands.Evaluate::new);
        all.put("services", OperationCommands.Services::new);
        all.put("watch", OperationCommands.Watch::new);
        all.put("audit", OperationCommands.Audit::new);
        all.put("keys", OperationCommands.Keys::new);
        all.put("verify", OperationCommands.Verify::new);
        all.put("keyset-new", KeysetNew::new);
        all.put("keyset-rotate", KeysetRotate::new);
        all.put("reseal", Reseal::new);
        all.put("generate-completion", AutoComplete.GenerateCompletion::new);
        return all;
    }

    /** The beginning of all commands. */
    @Command(
            name = "config-service",
            mixinStandardHelpOptions = true,
            versionProvider = Version.class,
            synopsisHeading = "usage: ",
            header =
                    "Without a command, or with --embedded, the service itself runs (settings: conf/config-service.yaml).",
            footerHeading = "%nExit codes: ",
            footer = {
                "0 done; 1 wrong usage or settings; 2 the audit was changed; 3 refused for now; 4 not found;",
                "5 not permitted; 6 conflict; 7 unreachable; 8 not valid; 9 there are differences.",
                "",
                "CS_URL is the address of the service, CS_API_KEY (or CS_API_KEY_FILE) the key or token."
            })
    static final class Root implements Callable<Integer> {
        @CommandLine.Spec
        CommandLine.Model.CommandSpec spec = CommandLine.Model.CommandSpec.create();

        @Override
        public Integer call() {
            throw new CommandLine.ParameterException(spec.commandLine(), "a command is required");
        }
    }

    /** The release, for {@code --version}. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"config-service " + Release.version()};
        }
    }

    @Command(name = "keyset-new", description = "Create a keyset for encrypted values.")
    static final class KeysetNew implements Callable<Integer> {
        @Parameters(paramLabel = "FILE")
        Path file = Path.of("");

        @Override
        public Integer call() {
            return MaintenanceCommands.makeKeyset(file);
        }
    }

    @Command(name = "keyset-rotate", description = "Add a new primary key to a keyset; the old keys can still decrypt.")
    static final class KeysetRotate implements Callable<Integer> {
        @Parameters(paramLabel = "FILE")
        Path file = Path.of("");

        @Override
        public Integer call() {
            return MaintenanceCommands.rotateKeyset(file);
        }
    }

    @Command(
            name = "reseal",
            description =
                    "Encrypt values of older keys with the newest key, in the database that the settings name. Exit code 3 if a"
                            + " node does not know it yet.")
    static final class Reseal implements Callable<Integer> {
        @Override
        public Integer call() {
            return MaintenanceCommands.reseal(Settings.load(System.getenv(), false));
        }
    }

    /** Runs a command and returns its exit code. */
    public static int run(List<String> arguments) {
        CommandLine line = new CommandLine(new Root());
        // reading the options of a command takes some milliseconds: only those are read that are needed
        String first = arguments.get(0);
        boolean isAll = first.equals("generate-completion") || !COMMANDS.containsKey(first);
        COMMANDS.forEach((name, command) -> {
            if (isAll || name.equals(first)) {
                line.addSubcommand(name, command.get());
            }
        });
        line.getSubcommands().values().forEach(CommandLineTool::addHelp);
        line.setParameterExceptionHandler((e, given) -> {
            System.err.println("config-service: " + e.getMessage());
            CommandLine.UnmatchedArgumentException.printSuggestions(e, line.getErr());
            e.getCommandLine().usage(System.err);
            return ServiceFailure.WRONG_USAGE;
        });
        line.setExecutionExceptionHandler((e, command, result) -> failed(e));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpAutoWidth(true);
        return line.execute(arguments.toArray(String[]::new));
    }

    private static void addHelp(CommandLine command) {
        if (command.getCommandSpec().findOption("--help") == null) {
            command.getCommandSpec()
                    .addOption(CommandLine.Model.OptionSpec.builder("-h", "--help")
                            .usageHelp(true)
                            .description("Show this.")
                            .build());
        }
        command.getSubcommands().values().forEach(CommandLineTool::addHelp);
    }

    private static int failed(Exception e) throws Exception {
        if (e instanceof SettingsException) {
            throw e;
        }
        if (e instanceof ServiceFailure f) {
            System.err.println("config-service: " + f.getMessage());
            return f.exitCode();
        }
        if (e instanceof ServiceException s) {
            // a file that the service would refuse
            System.err.println("config-service: " + s.getMessage());
            return ServiceFailure.INVALID;
        }
        if (e instanceof NoSuchFileException f) {
            System.err.println("config-service: " + f.getMessage() + ": does not exist");
            return ServiceFailure.WRONG_USAGE;
        }
        if (e instanceof IOException) {
            System.err.println("config-service: " + e.getMessage());
            return ServiceFailure.WRONG_USAGE;
        }
        throw e;
    }
}
