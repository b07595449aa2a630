package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/stormwheel/stormwheel/"

// source is what the module's packages import, without their tests, by their folders.
type source struct {
	imports map[string]map[string]bool
	files   map[string][]*ast.File
	fset    *token.FileSet
}

// readSource parses the module that the test is in. Modules within it are others.
func readSource(t *testing.T) *source {
	t.Helper()
	root := filepath.Join("..", "..")
	s := &source{imports: make(map[string]map[string]bool), files: make(map[string][]*ast.File), fset: token.NewFileSet()}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root:
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil || strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" {
				return filepath.SkipDir
			}
			return nil
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(s.fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		s.add(filepath.ToSlash(folder), f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *source) add(folder string, f *ast.File) {
	s.files[folder] = append(s.files[folder], f)
	if s.imports[folder] == nil {
		s.imports[folder] = make(map[string]bool)
	}
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value) // the parser has read it
		s.imports[folder][strings.TrimPrefix(path, module)] = true
	}
}

// within are the packages at a folder and below it.
func (s *source) within(folder string) (all []string) {
	for p := range s.imports {
		if p == folder || strings.HasPrefix(p, folder+"/") {
			all = append(all, p)
		}
	}
	slices.Sort(all)
	return all
}

// reach are all packages that one imports, with what those import; of other modules, only what is
// imported directly.
func (s *source) reach(folder string) map[string]bool {
	seen := make(map[string]bool)
	for next := []string{folder}; len(next) > 0; {
		p := next[0]
		next = next[1:]
		for i := range s.imports[p] {
			if !seen[i] {
				seen[i] = true
				next = append(next, i)
			}
		}
	}
	return seen
}

// The pure packages, which a simulation runs in virtual time.
var pure = []string{"internal/reactor", "internal/gate", "internal/link", "internal/transport", "internal/peer", "internal/sim", "messaging/internal/between"}

func TestPurePackagesDoNoIO(t *testing.T) {
	s := readSource(t)
	for _, folder := range pure {
		for _, p := range s.within(folder) {
			if p == "internal/transport/handshake" {
				continue // crypto/tls, which sim does not import
			}
			for _, no := range []string{"os", "crypto/rand", "crypto/tls", "math/rand", "hash/maphash", "log", "log/slog"} {
				if s.imports[p][no] {
					t.Errorf("%s imports %s", p, no)
				}
			}
			for i := range s.imports[p] {
				if strings.HasPrefix(i, "golang.org/x/sys/") || strings.HasPrefix(i, "github.com/panjf2000/") || strings.HasPrefix(i, "net/") && i != "net/netip" {
					t.Errorf("%s imports %s", p, i)
				}
			}
		}
	}
	for _, p := range []string{"internal/reactor", "internal/gate", "internal/link", "internal/transport", "internal/peer"} {
		if len(s.files[p]) == 0 {
			t.Errorf("%s is not where this test looks", p)
		}
	}
}

// What the pure packages may use of packages that also read clocks, sockets and chance.
var pureNames = map[string][]string{
	"net":          {"SplitHostPort", "JoinHostPort", "ParseIP", "DNSError", "AddrError"}, // addresses are parsed, errors are told apart
	"syscall":      {"EACCES", "EADDRINUSE", "EADDRNOTAVAIL", "EAFNOSUPPORT", "ECONNABORTED", "EHOSTDOWN", "EHOSTUNREACH", "EINVAL", "EMFILE", "ENETDOWN", "ENETUNREACH", "ENFILE", "ENOBUFS", "ENODEV", "ENOMEM", "ENXIO", "EPERM", "EPROTONOSUPPORT", "Errno"},
	"time":         {"Duration", "Time", "Month", "Unix", "UnixMilli", "UnixMicro", "Date", "UTC", "Nanosecond", "Microsecond", "Millisecond", "Second", "Minute", "Hour"},
	"math/rand/v2": {"Rand", "Source", "PCG", "ChaCha8", "New", "NewPCG", "NewChaCha8"},
}

func TestPurePackagesReadNoClockAndNoChance(t *testing.T) {
	s := readSource(t)
	for _, folder := range pure {
		for _, p := range s.within(folder) {
			if p == "internal/transport/handshake" {
				continue // as above
			}
			for _, f := range s.files[p] {
				s.wantPureNames(t, f)
			}
		}
	}
}

func (s *source) wantPureNames(t *testing.T, f *ast.File) {
	named := make(map[string][]string) // by the name that the file gives the package
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		allowed, watched := pureNames[path]
		if !watched {
			continue
		}
		name := map[string]string{"math/rand/v2": "rand"}[path]
		if name == "" {
			name = path
		}
		if i.Name != nil {
			name = i.Name.Name
		}
		named[name] = allowed
	}
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if id, ok := sel.X.(*ast.Ident); ok {
			if allowed, watched := named[id.Name]; watched && ast.IsExported(sel.Sel.Name) && !slices.Contains(allowed, sel.Sel.Name) {
				t.Errorf("%s uses %s.%s", s.fset.Position(sel.Pos()), id.Name, sel.Sel.Name)
			}
		}
		return true
	})
}

// What the lower floors may import of ours.
var floors = map[string][]string{
	"codec":             {},
	"timingwheel":       {},
	"internal/token":    {},
	"internal/plot":     {},
	"internal/loopback": {},
	"bench/result":      {},
	"bench/epoll":       {},
	"bench/payload":     {},
	"bench/foreign":     {"codec"},
	"bench/tally":       {"bench/result", "codec"},
	"bench/report":      {"bench/result", "internal/plot"},
	"bench/swarm":       {"messaging/envelope", "bench/payload", "bench/tally", "bench/result", "bench/foreign", "bench/epoll", "internal/link", "internal/transport", "internal/transport/proxy", "internal/transport/websocket", "internal/transport/handshake", "internal/token", "codec", "timingwheel"},
	"bench/handshakes":  {"bench/tally"},
	"bench/fleet":       {"bench/swarm", "bench/tally", "internal/child", "internal/machine", "internal/machine/proc"},
	"bench/nodes":       {"bench/result", "internal/child", "internal/freeport", "internal/machine", "internal/machine/proc"},
	"bench/scrape":      {"bench/result"},
	"bench/scenario": {"bench/payload", "bench/handshakes", "bench/fleet", "bench/nodes", "bench/scrape", "bench/swarm", "bench/tally", "bench/result", "bench/foreign",
		"internal/child", "internal/machine", "internal/link", "internal/token", "internal/transport", "codec"},
	"internal/machine":  {},
	"internal/freeport": {"internal/machine"},
	"internal/child":    {},
	"internal/gate":     {"codec"},
	"internal/peer":     {"codec", "internal/pulse"},
	"internal/pulse":    {},
	"internal/link":     {"codec"},
	"internal/reactor":  {"codec", "timingwheel", "internal/gate"},

	"internal/transport": {"codec"},
	"internal/netstage":  {"internal/transport"},

	"internal/transport/websocket": {"codec", "internal/transport"},
	"internal/transport/proxy":     {"codec", "internal/transport"},
	"internal/transport/tlsrecord": {"codec", "internal/transport"},
	"internal/transport/handshake": {"codec", "internal/transport", "internal/transport/tlsrecord"},
	"internal/transport/entry":     {"codec", "internal/transport", "internal/transport/proxy", "internal/transport/websocket"},

	"server": {"codec", "internal/reactor", "internal/gate", "internal/transport", "internal/transport/entry", "internal/transport/websocket", "internal/transport/handshake",
		"internal/machine", "internal/token", "server/internal/engine"},

	"server/internal/engine": {},
	"server/servertest":      {"codec", "internal/transport", "internal/transport/websocket", "server", "server/internal/engine"},

	"messaging/envelope":         {"codec"},
	"messaging/talk":             {"codec", "client", "messaging/envelope"},
	"messaging":                  {"codec", "timingwheel", "server", "messaging/envelope", "cluster", "messaging/internal/between"},
	"messaging/internal/between": {},
	"messaging/internal/strict":  {},
	"cluster":                    {"codec", "server", "internal/peer", "internal/pulse"},

	"messaging/storetest": {"messaging"},
	"messaging/web":       {"codec", "server", "messaging", "messaging/envelope", "messaging/internal/strict", "internal/loopback"},
	"cluster/bustest":     {"cluster"},
	"cluster/natsbus":     {"cluster", "internal/pulse"},
	"messaging/hook":      {"server", "messaging", "messaging/envelope", "messaging/internal/strict", "codec", "internal/loopback"},
}

func TestPackagesImportLowerFloorsOnly(t *testing.T) {
	s := readSource(t)
	ours := func(i string) bool { return s.imports[i] != nil }
	for p, allowed := range floors {
		for i := range s.imports[p] {
			if ours(i) && !slices.Contains(allowed, i) {
				t.Errorf("%s imports %s, which is not on a lower floor", p, i)
			}
		}
	}
}

func TestPackagesThatNeverMeet(t *testing.T) {
	s := readSource(t)
	for _, never := range []struct{ from, to string }{
		{"server", "client"}, {"client", "server"}, {"server", "bench"}, {"cmd", "server/servertest"}, {"cmd", "messaging/storetest"}, {"cmd", "cluster/bustest"}, {"server", "cluster"}, {"server", "github.com/nats-io"}, {"messaging", "github.com/nats-io"}, {"bench/report", "bench/swarm"},
		{"internal/machine", "github.com/prometheus/procfs"}, {"internal/sim", "internal/transport/handshake"},
	} {
		from := s.within(never.from)
		if never.from == "internal/machine" {
			from = []string{never.from} // its packages below are not for the server
		}
		for _, p := range from {
			for i := range s.reach(p) {
				if i == never.to || strings.HasPrefix(i, never.to+"/") {
					t.Errorf("%s reaches %s", p, i)
				}
			}
		}
	}
	for _, p := range slices.Sorted(maps.Keys(s.imports)) {
		for i := range s.imports[p] {
			for _, top := range []string{"cmd", "bench/lab"} {
				if strings.HasPrefix(i, top+"/") && !strings.HasPrefix(p, top) {
					t.Errorf("%s imports %s", p, i)
				}
			}
		}
	}
}
