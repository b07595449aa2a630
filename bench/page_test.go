package bench

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

// table returns the first cells of the rows of the page's table with the given head line,
// as many as cells says, joined by " | ".
func table(t *testing.T, head string, cells int) []string {
	t.Helper()
	page, err := os.ReadFile("../docs/BENCH.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), head+"\n")
	if !found {
		t.Fatalf("docs/BENCH.md has no table %q", head)
	}
	var rows []string
	for _, line := range strings.Split(rest, "\n")[1:] {
		if !strings.HasPrefix(line, "|") {
			break
		}
		parts := strings.SplitN(strings.Trim(line, "|"), "|", strings.Count(head, "|")-1)
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		rows = append(rows, strings.Join(parts[:cells], " | "))
	}
	return rows
}

func sameTable(t *testing.T, what string, got, want []string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("docs/BENCH.md lists these %s:\n%s\nwant:\n%s", what, g, w)
	}
}

func TestThePageHasEveryFieldOfTheResult(t *testing.T) {
	sameTable(t, "fields", table(t, "| field | unit | meaning |", 1), benchtest.Leaves(reflect.TypeFor[result.Result](), ""))
}

func TestThePageHasEveryScenarioAndItsPromises(t *testing.T) {
	var names, promises []string
	for _, s := range scenario.All {
		names = append(names, s.Name())
		runs := []struct{ name, kind string }{{s.Name(), ""}}
		if s.Name() == "storm" {
			runs = nil
			for _, kind := range scenario.Kinds() {
				runs = append(runs, struct{ name, kind string }{"storm " + kind, kind})
			}
		}
		for _, run := range runs {
			cfg := Config{Scenario: s.Name(), Spawn: 2, Kind: run.kind}
			if run.kind == "external" {
				cfg.Spawn, cfg.Targets = 0, []string{"127.0.0.1:7000"}
			}
			switch s.Name() {
			case "find-max":
				cfg.Goal = "heartbeat.missed==0"
			case "phases":
				cfg.Phases = []scenario.Phase{{Do: "ramp", Clients: 1000}}
			}
			p, err := scenario.Prepare(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			for _, th := range p.Judged {
				promises = append(promises, run.name+" | "+th.Expr)
			}
		}
	}
	sameTable(t, "scenarios", table(t, "| scenario | what it does |", 1), names)
	sameTable(t, "storms", table(t, "| kind | what strikes |", 1), scenario.Kinds())
	sameTable(t, "promises", table(t, "| run | promise | why this number |", 2), promises)
}

func TestThePageHasEveryColumnOfTheCSV(t *testing.T) {
	sameTable(t, "columns", table(t, "| column | meaning |", 1), strings.Split(strings.TrimSpace(csvHeader), ","))
}

func TestThePageHasEveryProtocol(t *testing.T) {
	sameTable(t, "protocols", table(t, "| protocol | what it is |", 1), foreign.Protocols)
}

func TestThePageHasEveryExitCode(t *testing.T) {
	var codes []string
	for _, c := range []int{result.ExitPass, result.ExitOther, result.ExitUsage, result.ExitImpossible, result.ExitInvalid, result.ExitThreshold, result.ExitInterrupted} {
		codes = append(codes, fmt.Sprint(c))
	}
	sameTable(t, "exit codes", table(t, "| code | meaning |", 1), codes)
}
