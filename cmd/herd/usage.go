package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError reports a mistake on the command line.
type usageError struct {
	command string // "herd data show"
	what    string
}

func (e *usageError) Error() string {
	return fmt.Sprintf("%s (see '%s --help')", e.what, e.command)
}

func misuse(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{cmd.CommandPath(), fmt.Sprintf(format, args...)}
}

// flagError turns an error of pflag into a usageError, with a similar flag's name if there is one.
// If cmd only groups subcommands, a word before the flag was meant as a command, and that is the
// mistake: "herd evla --model m". args is the command line.
func flagError(cmd *cobra.Command, args []string, err error) error {
	if word := strayWord(cmd, args); word != "" {
		return unknownCommand(cmd, word)
	}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && len(unknown.GetSpecifiedName()) > 1 {
		name := unknown.GetSpecifiedName()
		return misuse(cmd, "unknown flag --%s%s", name, didYouMean("--", nearest(flagsAsCommands(cmd), name)))
	}
	return misuse(cmd, "%v", err)
}

// strayWord returns the first word on the command line that is neither a flag nor the name of a
// command that leads to cmd, or "". Only groups of commands can have one.
func strayWord(cmd *cobra.Command, args []string) string {
	if !cmd.HasSubCommands() {
		return ""
	}
	path := strings.Fields(cmd.CommandPath())[1:]
	for i, arg := range args {
		switch {
		case strings.HasPrefix(arg, "-"), i > 0 && args[i-1] == "--threads":
		case len(path) > 0 && arg == path[0]:
			path = path[1:]
		default:
			return arg
		}
	}
	return ""
}

func unknownCommand(cmd *cobra.Command, name string) error {
	return misuse(cmd, "unknown command %q%s", name, didYouMean("", nearest(cmd, name)))
}

// newHelpCmd returns the help command of root. Cobra's own succeeds for unknown commands.
func newHelpCmd(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Print the help of a command",
		Example: "  herd help sft\n  herd help data import",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || cmd.HasSubCommands() && len(rest) > 0 {
				return unknownCommand(cmp.Or(cmd, root), cmp.Or(strings.Join(rest, " "), strings.Join(args, " ")))
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

// flagsAsCommands returns a command with a subcommand for each flag of cmd, because cobra
// suggests similar commands, but not similar flags.
func flagsAsCommands(cmd *cobra.Command) *cobra.Command {
	flags := &cobra.Command{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		flags.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
	})
	return flags
}

// nearest returns the subcommand of cmd with the most similar name, or "" if none is similar.
func nearest(cmd *cobra.Command, name string) string {
	for cmd.SuggestionsMinimumDistance = 1; cmd.SuggestionsMinimumDistance <= 2; cmd.SuggestionsMinimumDistance++ {
		if names := cmd.SuggestionsFor(name); len(names) > 0 {
			return names[0]
		}
	}
	return ""
}

func didYouMean(prefix, name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %s%s?", prefix, name)
}

// asGroup makes cmd, which only groups subcommands, print its help. For an unknown subcommand it
// suggests a similar one.
func asGroup(cmd *cobra.Command) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return unknownCommand(cmd, args[0])
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}

// operands checks the arguments that are not flags: one for each name. The last name may end in
// "...", which allows one or more arguments.
func operands(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		many := len(names) > 0 && strings.HasSuffix(names[len(names)-1], "...")
		switch {
		case len(args) < len(names):
			return misuse(cmd, "missing argument %s", strings.TrimSuffix(names[len(args)], "..."))
		case len(args) > len(names) && !many:
			return misuse(cmd, "unexpected argument %q", args[len(names)])
		}
		return nil
	}
}

// require makes flags of cmd mandatory. "a|b" requires one of the two.
func require(cmd *cobra.Command, names ...string) {
	given := func(name string) bool { return cmd.Flag(name).Changed && cmd.Flag(name).Value.String() != "" }
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		for _, alternatives := range names {
			names := strings.Split(alternatives, "|")
			if !slices.ContainsFunc(names, given) {
				what, usage := pflag.UnquoteUsage(cmd.Flag(names[0]))
				return misuse(cmd, "--%s %s is missing: %s", names[0], what, usage)
			}
		}
		return nil
	}
}

// choice is a flag value from a fixed list. The first is the default.
type choice struct {
	value   string
	allowed []string
}

func choose(allowed ...string) *choice { return &choice{allowed[0], allowed} }

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return "name" }

// Set implements pflag.Value.
func (c *choice) Set(value string) error {
	if !slices.Contains(c.allowed, value) {
		return fmt.Errorf("expected one of %s", c.list())
	}
	c.value = value
	return nil
}

func (c *choice) list() string { return strings.Join(c.allowed, ", ") }

// unless returns the value, or "" if it is all, the name for no restriction.
func (c *choice) unless(all string) string {
	if c.value == all {
		return ""
	}
	return c.value
}
