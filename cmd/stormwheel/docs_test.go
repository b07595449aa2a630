package main

import (
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/machine"
	"github.com/stormwheel/stormwheel/internal/reactor"
	"github.com/stormwheel/stormwheel/server/admin"
)

// readDoc returns a page of the documentation.
func readDoc(t *testing.T, path string) string {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// column returns the first cells of the rows of the table with the given head line,
// as many as cells says, joined by blanks.
func column(t *testing.T, page, head string, cells int) []string {
	t.Helper()
	_, rest, found := strings.Cut(page, head+"\n")
	if !found {
		t.Fatalf("no table %q", head)
	}
	var rows []string
	for _, line := range strings.Split(rest, "\n")[1:] {
		if !strings.HasPrefix(line, "|") {
			break
		}
		parts := strings.Split(strings.Trim(line, "|"), "|")
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		rows = append(rows, strings.Join(parts[:cells], " "))
	}
	return rows
}

func sameRows(t *testing.T, what string, got, want []string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("OPERATIONS.md lists these %s:\n%s\nwant:\n%s", what, g, w)
	}
}

func TestOperationsPageIsTrue(t *testing.T) {
	page := readDoc(t, "../../docs/OPERATIONS.md")

	var cmd command
	app, err := kong.New(&cmd, benchFlags...)
	if err != nil {
		t.Fatal(err)
	}
	var flags []string
	for _, node := range app.Model.Children {
		for _, f := range node.Flags {
			if node.Name == "serve" && f.Name != "help" {
				flags = append(flags, strings.TrimSpace("--"+f.Name+" "+f.Default))
			}
		}
	}
	rows := column(t, page, "| flag | default | what it does |", 2)
	for i := range rows {
		rows[i] = strings.TrimSpace(rows[i])
	}
	sameRows(t, "flags", rows, flags)

	var reasons []string
	for r := reactor.ReasonNone + 1; r.String() != "unknown"; r++ {
		code := ""
		if r.Code() != 0 {
			code = fmt.Sprint(uint16(r.Code()))
		}
		reasons = append(reasons, r.String()+" "+code)
	}
	sameRows(t, "close reasons", column(t, page, "| reason | code | read it as |", 2), reasons)

	var checks []string
	for _, c := range (machine.Limits{}).Checks(nodeNeed(1)) {
		checks = append(checks, c.Name)
	}
	checks = append(checks, portsCheck)
	sameRows(t, "checks", column(t, page, "| check | what it limits |", 1), checks)

	for _, sentence := range []string{
		fmt.Sprintf("503 when a loop was not seen for %d s", int(admin.DefaultStuckAfter.Seconds())),
		fmt.Sprintf("after %d s at most", int(stopTime.Seconds())),
		fmt.Sprintf("| connections of the admin listener | %d |", admin.MaxConns),
		fmt.Sprintf("| client id | %d bytes |", codec.MaxClientID),
		fmt.Sprintf("keeps %d percent, at least 32, in reserve", reservePercent),
		fmt.Sprintf("%d KiB a connection", machine.EndBytes>>10),
	} {
		if !strings.Contains(page, sentence) {
			t.Errorf("OPERATIONS.md does not say %q", sentence)
		}
	}
}

// fenced returns the blocks of a page that are fenced as the given language.
func fenced(page, language string) []string {
	var blocks []string
	for _, part := range strings.Split(page, "\n```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(part, "\n```")
		blocks = append(blocks, block+"\n")
	}
	return blocks
}

// TestReadmeProgramsCompile builds each Go block of the README as it stands.
func TestReadmeProgramsCompile(t *testing.T) {
	blocks := fenced(readDoc(t, "../../README.md"), "go")
	if len(blocks) != 2 {
		t.Errorf("README.md has %d Go blocks, want a server and a client", len(blocks))
	}
	for i, block := range blocks {
		file := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if formatted, err := format.Source([]byte(block)); err != nil || string(formatted) != block {
			t.Errorf("Go block %d is not formatted (%v)", i, err)
		}
		if out, err := exec.CommandContext(t.Context(), "go", "vet", file).CombinedOutput(); err != nil {
			t.Errorf("Go block %d: %v\n%s", i, err, out)
		}
		_, code, _ := strings.Cut(block, "\nfunc ")
		if n := strings.Count(code, "\n\t"); n > 8 {
			t.Errorf("Go block %d has %d lines in its functions, want 8 at most", i, n)
		}
	}
}

// TestCommandsOfThePagesParse holds every command line that a page shows to the flags, and
// what it asks of bench to reason.
func TestCommandsOfThePagesParse(t *testing.T) {
	found := 0
	pages := map[string]string{}
	for _, path := range []string{"../../README.md", "../../docs/OPERATIONS.md", "../../docs/CLUSTER.md", "../../docs/BENCH.md"} {
		pages[path] = readDoc(t, path)
	}
	t.Chdir(t.TempDir())
	for _, file := range fenced(pages["../../docs/BENCH.md"], "yaml") {
		name, _, named := strings.Cut(strings.TrimPrefix(file, "# "), ":")
		if !named || !strings.HasSuffix(name, ".yaml") {
			t.Errorf("no name stands above the file\n%s", file)
			continue
		}
		if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for path, page := range pages {
		for line := range strings.Lines(page) {
			line = strings.TrimSpace(line)
			if host, command, prompted := strings.Cut(line, "$ "); prompted && !strings.Contains(host, " ") {
				line = command
			}
			args, isCommand := strings.CutPrefix(line, "bin/stormwheel ")
			if !isCommand {
				args, isCommand = strings.CutPrefix(line, "stormwheel ")
			}
			if !isCommand || strings.HasPrefix(args, "ready ") {
				continue
			}
			found++
			var cmd command
			app, err := kong.New(&cmd, benchFlags...)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := app.Parse(strings.Fields(strings.ReplaceAll(args, "'", ""))); err != nil {
				t.Errorf("%s: %q: %v", path, line, err)
			}
			// A name that is not known here, or a limit of this machine, is no fault of the page.
			if scenario := cmd.Bench.Run.Scenario; scenario != "" {
				config := cmd.Bench.Run.config()
				rules, err := readRules(cmd.Bench.Run.Rules)
				if err != nil {
					t.Errorf("%s: %q: %v", path, line, err)
					continue
				}
				rules.addTo(&config)
				if err := bench.Check(t.Context(), config); result.ExitCode(err) == result.ExitUsage {
					t.Errorf("%s: %q: %v", path, line, err)
				}
			}
		}
	}
	if found < 5 {
		t.Errorf("found %d command lines, want those of the experiment at least", found)
	}
}

// TestBenchPageSortsEveryFlag holds the page's flags by topic to those of a run.
func TestBenchPageSortsEveryFlag(t *testing.T) {
	var cmd command
	app, err := kong.New(&cmd, benchFlags...)
	if err != nil {
		t.Fatal(err)
	}
	var flags []string
	for _, node := range app.Model.Children {
		if node.Name != "bench" {
			continue
		}
		for _, child := range node.Children {
			for _, f := range child.Flags {
				if child.Name == "run" && f.Name != "help" {
					flags = append(flags, "--"+f.Name)
				}
			}
		}
	}
	var sorted []string
	for _, row := range column(t, readDoc(t, "../../docs/BENCH.md"), "| topic | flags |", 2) {
		_, cell, _ := strings.Cut(row, "`")
		sorted = append(sorted, strings.Fields(strings.ReplaceAll(cell, "`", ""))...)
	}
	slices.Sort(flags)
	slices.Sort(sorted)
	if got, want := strings.Join(sorted, "\n"), strings.Join(flags, "\n"); got != want || want == "" {
		t.Errorf("BENCH.md sorts these flags:\n%s\nwant:\n%s", got, want)
	}
}

// The page of the load test says that a zero is refused, whatever the flag.
func TestBenchRefusesAZeroThatIsSaid(t *testing.T) {
	for _, flag := range []string{"--conns=0", "--rate=0", "--duration=0s", "--fraction=0", "--seed=0", "--spawn=0"} {
		name, _, _ := strings.Cut(flag, "=")
		var cmd command
		app, err := kong.New(&cmd, benchFlags...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := app.Parse([]string{"bench", "silent", flag}); err == nil || !strings.Contains(err.Error(), name+":") {
			t.Errorf("%s: %v, want it refused by name", flag, err)
		}
	}
}
