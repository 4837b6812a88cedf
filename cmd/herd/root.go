package main

import (
	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/core/kernel"
)

// newRootCmd returns the root command. A new command needs a file and a line here.
func newRootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "herd",
		Short: "Train language models with the Llama 3 recipe, and use them",
		Long: `Train language models with the Llama 3 recipe, and use them.

` + exitHelp,
		Version: version(),
		Example: `  herd data import corpus.jsonl --out corpus.arrow
  herd pretrain --data corpus.arrow --out base
  herd chat --model base`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	section(root, "Recipes:",
		newRunCmd(),
		newRecipeCmd(),
	)
	section(root, "Train:", newStageCmds()...)
	section(root, "Use a model:",
		newChatCmd(),
		newServeCmd(),
		newGenerateCmd(),
		newScoreCmd(),
		newModelCmd(),
	)
	section(root, "Data:",
		newDataCmd(),
		newTokenizerCmd(),
	)
	root.AddCommand(newVersionCmd())
	asGroup(root)
	cobra.EnableCommandSorting = false // list the stages in their order
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetVersionTemplate(versionLine())
	root.SetHelpCommand(newHelpCmd(root))
	addThreads(root)
	return root
}

// section adds commands under their own title in root's help.
func section(root *cobra.Command, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: title, Title: title})
	for _, c := range commands {
		c.GroupID = title
		root.AddCommand(c)
	}
}

// addThreads adds --threads to all commands. The flag changes speed, not results.
func addThreads(root *cobra.Command) {
	threads := root.PersistentFlags().Int("threads", 0, "number of threads to compute with, `N` (0: one for each core)")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if *threads < 0 {
			return misuse(cmd, "--threads is %d, expected 0 or more", *threads)
		}
		kernel.SetThreads(*threads)
		return nil
	}
}
