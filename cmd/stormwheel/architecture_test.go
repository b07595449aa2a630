package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const architecture = "../../docs/ARCHITECTURE.md"

// The table of ARCHITECTURE.md has every package, with what it imports of ours.
func TestArchitectureHasEveryPackage(t *testing.T) {
	s := readSource(t)
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .* \\| ([^|]+) \\|$")
	rows := make(map[string]string)
	for _, m := range row.FindAllStringSubmatch(readDoc(t, architecture), -1) {
		if rows[m[1]] = m[2]; s.imports[m[1]] == nil && m[1] != "clients/js" && m[1] != "bench/lab" { // which are not of this module
			t.Errorf("%s is in the table, and no package", m[1])
		}
	}
	for _, p := range slices.Sorted(maps.Keys(s.imports)) {
		if strings.HasPrefix(p, "examples/") || strings.HasPrefix(p, "cmd/stormwheel/internal/") {
			continue
		}
		said, there := rows[p]
		if !there {
			t.Errorf("%s is not in the table", p)
		}
		if strings.HasPrefix(said, "the packages above") || strings.Contains(said, "and what that imports") {
			continue
		}
		for i := range s.imports[p] {
			if s.imports[i] != nil && !saysOf(said, i) {
				t.Errorf("%s imports %s; the table says %s", p, i, said)
			}
		}
		for word := range strings.SplitSeq(said, ", ") {
			if s.imports[word] != nil && !s.imports[p][word] {
				t.Errorf("%s does not import %s, as the table says", p, word)
			}
		}
	}
}

// saysOf says whether a cell of the table has a package, or one that it lies below with what is below it.
func saysOf(cell, folder string) bool {
	for word := range strings.SplitSeq(cell, ", ") {
		above, below := strings.CutSuffix(word, " and what is below it")
		if word == folder || below && (above == folder || strings.HasPrefix(folder, above+"/")) {
			return true
		}
	}
	return false
}

// Every file that ARCHITECTURE.md names is there: with its folder, or by its name alone somewhere.
func TestArchitectureNamesFilesThatAreThere(t *testing.T) {
	names := make(map[string]bool)
	for p, files := range readSource(t).filesByFolder(t) {
		for _, f := range files {
			names[f], names[p+"/"+f] = true, true
		}
	}
	found := 0
	for _, m := range regexp.MustCompile("[`(]([\\w/]+\\.go)[`),]").FindAllStringSubmatch(readDoc(t, architecture), -1) {
		if found++; !names[m[1]] {
			t.Errorf("there is no %s", m[1])
		}
	}
	if found < 50 {
		t.Errorf("%d files are named, want 50 at least: the test looks for them where they are not", found)
	}
}

// filesByFolder are the names of the module's Go files, those of tests too.
func (s *source) filesByFolder(t *testing.T) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	for p := range s.imports {
		entries, err := os.ReadDir(filepath.Join("..", "..", p))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".go") {
				all[p] = append(all[p], e.Name())
			}
		}
	}
	return all
}
