package bench

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A room knows only those below it: whoever reads a result needs no swarm, and no scenario is met
// by a socket.
func TestRoomsImportOnlyWhatLiesBelow(t *testing.T) {
	const ours = "github.com/stormwheel/stormwheel/"
	for room, below := range map[string]string{
		"result":   "",
		"foreign":  "codec",
		"epoll":    "",
		"tally":    "bench/result codec",
		"swarm":    "bench/tally bench/result bench/foreign bench/epoll internal/link internal/token codec timingwheel",
		"fleet":    "bench/swarm bench/tally internal/child internal/machine internal/machine/proc",
		"nodes":    "bench/result internal/child internal/machine internal/machine/proc",
		"scenario": "bench/fleet bench/nodes bench/swarm bench/tally bench/result bench/foreign internal/child internal/machine internal/link internal/token codec",
		"report":   "bench/result internal/plot",
	} {
		files, err := filepath.Glob(filepath.Join(room, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", room, len(files), err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range parsed.Imports {
				if path, is := strings.CutPrefix(strings.Trim(i.Path.Value, `"`), ours); is && !slices.Contains(strings.Fields(below), path) {
					t.Errorf("%s imports %s", f, path)
				}
			}
		}
	}
}
