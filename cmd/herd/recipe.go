package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/herd-lm/herd/recipes"
)

func newRecipeCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "recipe",
		Short:   "List the built-in recipes, or print one to start from",
		Example: "  herd recipe show quickstart > mine.yaml",
	}
	cmd.AddCommand(newRecipeListCmd(), newRecipeShowCmd())
	asGroup(cmd)
	return cmd
}

func newRecipeListCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the built-in recipes", Example: "  herd recipe list",
		Args: operands(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range recipes.Names() {
				r, err := recipes.Load(name, nil)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%-12s %s\n", name, r.Description)
				for _, in := range r.Inputs {
					fmt.Fprintf(cmd.OutOrStdout(), "%-12s needs %s: %s\n", "", in.Key, in.Description)
				}
			}
			return nil
		},
	}
}

func newRecipeShowCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Print the YAML of a recipe", Example: "  herd recipe show quickstart > mine.yaml",
		Args: operands("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := recipes.Text(args[0])
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(doc)
			return err
		},
	}
}
