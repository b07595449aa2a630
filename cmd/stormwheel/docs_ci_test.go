package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"github.com/stormwheel/stormwheel/bench/result"
)

// The example for builds is a workflow, and its commands and limits are ones that there are.
func TestTheExampleForBuildsIsTrue(t *testing.T) {
	var workflow struct {
		On   map[string]any
		Jobs map[string]struct {
			RunsOn string `yaml:"runs-on"`
			Steps  []struct{ Uses, Run string }
		}
	}
	if err := yaml.Unmarshal([]byte(readDoc(t, "../../docs/ci-threshold-example.yml")), &workflow); err != nil {
		t.Fatal(err)
	}
	if len(workflow.On) == 0 || len(workflow.Jobs) != 1 || workflow.Jobs["load"].RunsOn == "" {
		t.Errorf("workflow = %+v, want events and one job, load", workflow)
	}
	commands, limits := 0, 0
	for _, step := range workflow.Jobs["load"].Steps {
		for line := range strings.Lines(step.Run) {
			args, isCommand := strings.CutPrefix(strings.TrimSpace(line), "bin/stormwheel ")
			if !isCommand {
				continue
			}
			commands++
			if strings.ContainsAny(outsideQuotes(args), "<>") {
				t.Errorf("%q: a shell takes < for a redirection", line)
			}
			var cmd command
			app, err := kong.New(&cmd, benchFlags...)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := app.Parse(strings.Fields(strings.ReplaceAll(args, "'", ""))); err != nil {
				t.Errorf("%q: %v", line, err)
			}
			for _, expr := range cmd.Bench.Run.Thresholds {
				limits++
				if _, err := result.ParseThreshold(expr); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if commands != 2 || limits < 4 {
		t.Errorf("%d commands with %d thresholds", commands, limits)
	}
}

func outsideQuotes(s string) string {
	var b strings.Builder
	for i, part := range strings.Split(s, "'") {
		if i%2 == 0 {
			b.WriteString(part)
		}
	}
	return b.String()
}
