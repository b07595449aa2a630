package link

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The cases in testdata/cases say what a link does, in JSON, for links in other languages:
// clients/js passes the same. Each is a configuration and a list of steps, one a line: what happens
// at a time, and what the link asks for and tells then. Times are milliseconds since the owner's
// origin; bytes are hexadecimal; bodies and tokens are text. Random numbers are SplitMix64 from the
// seed, as rng draws them. See case_player_test.go for what a step means.

var update = flag.Bool("update", false, "write testdata/cases from the scripts")

type linkCase struct {
	About  string     `json:"about"`
	Config caseConfig `json:"config"`
	Steps  []*step    `json:"-"`
}

// caseConfig has defaults for zeros, as Config; durations are milliseconds.
type caseConfig struct {
	ID               string   `json:"id"`
	Incarnation      string   `json:"incarnation"`
	Seed             uint64   `json:"seed"`
	Endpoints        []string `json:"endpoints"`
	IgnoreAlternates bool     `json:"ignore_alternates,omitempty"`
	Interval         float64  `json:"interval,omitempty"`
	PongTimeout      float64  `json:"pong_timeout,omitempty"`
	AtMostOnce       bool     `json:"at_most_once,omitempty"`
	NeverGiveUp      bool     `json:"never_give_up,omitempty"`
	FreshTokens      bool     `json:"fresh_tokens,omitempty"`
}

// encode writes a case with a step a line, so that a change of one is a change of its line.
func (c *linkCase) encode() ([]byte, error) {
	var b bytes.Buffer
	head, err := marshal(c)
	if err != nil {
		return nil, err
	}
	b.Write(bytes.TrimSuffix(head, []byte("}")))
	b.WriteString(",\"steps\":[\n")
	for i, s := range c.Steps {
		line, err := marshal(s)
		if err != nil {
			return nil, err
		}
		b.Write(line)
		if i+1 < len(c.Steps) {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("]}\n")
	return b.Bytes(), nil
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

func casePath(name string) string {
	return filepath.Join("testdata", "cases", strings.ReplaceAll(name, " ", "_")+".json")
}

func TestCasesAreWhatTheScriptsSay(t *testing.T) {
	known := map[string]bool{}
	for _, s := range caseScripts {
		known[casePath(s.name)] = true
		t.Run(s.name, func(t *testing.T) {
			r := newRecorder(t, s)
			s.run(r)
			got, err := r.c.encode()
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(casePath(s.name), got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(casePath(s.name))
			if err != nil {
				t.Fatal(err)
			}
			sameLines(t, got, want)
		})
	}
	files, err := filepath.Glob(casePath("*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !known[f] {
			t.Errorf("%s has no script", f)
		}
	}
}

// sameLines names the first line that differs.
func sameLines(t *testing.T, got, want []byte) {
	t.Helper()
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			t.Fatalf("line %d is now\n%s\nthe file has\n%s\nif that is meant: go test ./internal/link -run Cases -update, and see that clients/js agrees", i+1, a, b)
		}
	}
}

// A file by itself is enough: another language has nothing else.
func TestCasesReplay(t *testing.T) {
	for _, s := range caseScripts {
		t.Run(s.name, func(t *testing.T) {
			b, err := os.ReadFile(casePath(s.name))
			if errors.Is(err, os.ErrNotExist) && *update {
				t.Skip("not written yet")
			}
			if err != nil {
				t.Fatal(err)
			}
			var c struct {
				linkCase
				Steps []*step `json:"steps"`
			}
			d := json.NewDecoder(bytes.NewReader(b))
			d.DisallowUnknownFields()
			if err := d.Decode(&c); err != nil {
				t.Fatal(err)
			}
			p := newPlayer(t, &c.Config)
			for i, want := range c.Steps {
				got := want.inputs()
				p.play(got)
				g, _ := marshal(got)
				w, _ := marshal(want)
				if !bytes.Equal(g, w) {
					t.Fatalf("step %d is\n%s\nwant\n%s", i+1, g, w)
				}
			}
		})
	}
}
