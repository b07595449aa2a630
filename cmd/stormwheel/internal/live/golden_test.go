package live

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/result"
)

var update = flag.Bool("update", false, "write the screens of testdata as they are now")

func TestScreensLookLikeThis(t *testing.T) {
	for _, tt := range []struct {
		name          string
		width, height int
		env           []string
	}{
		{"storm-80x24", 80, 24, nil},
		{"storm-80x60", 80, 60, nil},
		{"storm-100x30", 100, 30, nil},
		{"storm-120x40", 120, 40, nil},
		{"storm-200x60", 200, 60, nil},
		{"storm-200x60-ascii", 200, 60, []string{"LC_ALL", "POSIX"}},
	} {
		m := inStorm(2)
		m.look = newLook(environment(tt.env...))
		m.Update(tea.WindowSizeMsg{Width: tt.width, Height: tt.height})
		lines := plain(m)
		for i := range lines {
			lines[i] = strings.TrimRight(lines[i], " ")
			if tt.env != nil && strings.ContainsFunc(lines[i], func(r rune) bool { return r > '~' }) {
				t.Errorf("%s: not ASCII: %s", tt.name, lines[i])
			}
		}
		got, file := strings.Join(lines, "\n")+"\n", filepath.Join("testdata", tt.name+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s has changed (-update writes it); got\n%s", tt.name, got)
		}
	}
}

func TestAScreenFollowsItsSize(t *testing.T) {
	m := inStorm(2)
	m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	before := m.frame()
	m.Update(tea.WindowSizeMsg{Width: 200, Height: 60})
	if frame := ansi.Strip(m.frame()); !strings.Contains(frame, "▲kill n1") || !strings.Contains(frame, "▏recovery") || !strings.Contains(frame, "25 s") {
		t.Errorf("no graphs with phases, events and times:\n%s", frame)
	}
	m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	if m.frame() != before {
		t.Error("back at its size, the frame is another")
	}
}

func TestTheFirstThatBrokeStaysNamed(t *testing.T) {
	m := newModel(newLook(environment()), keys{})
	second := func(n int, failed ...string) {
		s := &bench.Status{}
		for _, expr := range []string{"a==0", "b==0"} {
			o := result.Outlook{Expr: expr, Actual: new(float64(n)), State: result.Holds}
			if slices.Contains(failed, expr) {
				o.State = result.Failed
			}
			s.Outlook = append(s.Outlook, o)
		}
		m.Update(updates{{At: time.Duration(n) * time.Second, Status: s}})
	}
	second(1)
	if frame := ansi.Strip(m.frame()); strings.Contains(frame, "broke first") {
		t.Errorf("nothing broke:\n%s", frame)
	}
	second(2, "b==0")
	second(3, "a==0", "b==0")
	if line := plain(m)[2]; !strings.HasPrefix(line, " ✗ b==0: 3 ") || !strings.HasSuffix(line, "broke first, at 2.0 s ") {
		t.Errorf("the line of what broke first: %q", line)
	}
}

func TestAColumnOfManySecondsShowsTheWorst(t *testing.T) {
	w := newWindow(100, 12) // 120 s, ten of them a column
	var all []result.Second
	for n := range 20 {
		all = append(all, result.Second{T: float64(n + 1), Span: 1, Ready: 10, Lost: n % 10})
	}
	all[3].Ready = 2
	ready := w.fold(all, func(s *result.Second) float64 { return float64(s.Ready) }, true)
	lost := w.fold(all, func(s *result.Second) float64 { return float64(s.Lost) }, false)
	if ready[0] != 2 || ready[1] != 10 || lost[0] != 9 || lost[1] != 9 || !math.IsNaN(lost[2]) {
		t.Errorf("ready %v, lost %v", ready, lost)
	}
	w = newWindow(20, 60) // 30 s, two columns each
	if lost := w.fold(all, func(s *result.Second) float64 { return float64(s.Lost) }, false); lost[6] != 3 || lost[7] != 3 || lost[8] != 4 {
		t.Errorf("lost %v", lost)
	}
}

func TestTheAxisGrowsInStepsUpToAnHour(t *testing.T) {
	for elapsed, want := range map[float64]window{0: {0, 30, 9}, 30: {0, 30, 9}, 31: {0, 60, 9}, 3600: {0, 3600, 9}, 3601: {300, 3600, 9}, 7300: {3900, 3600, 9}} {
		if got := newWindow(elapsed, 9); got != want {
			t.Errorf("after %v s: %v, want %v", elapsed, got, want)
		}
	}
	for _, span := range windowSpans {
		at, labels := newWindow(span, 100).ticks()
		if len(at) < 5 || len(at) > 6 {
			t.Errorf("%v s: %v", span, labels)
		}
		seen := map[string]bool{}
		for _, l := range labels {
			if seen[l] {
				t.Errorf("%v s: %q twice", span, l)
			}
			seen[l] = true
		}
	}
}

func TestScalesAreRoundAndHoldAll(t *testing.T) {
	for _, tt := range []struct {
		log    bool
		least  float64
		values []float64
		want   string
	}{
		{false, 4000, []float64{1, math.NaN()}, "[4,000   2,000  0]"},
		{false, 0, nil, "[1     0]"},
		{false, 0, []float64{999}, "[1,000   500  0]"},
		{true, 0, []float64{.3, 41}, "[100  10  1 0.1]"},
		{true, 0, []float64{math.NaN()}, "[10     1]"},
	} {
		s := newScale(tt.log, tt.least, 6, tt.values)
		if got := fmt.Sprint(s.labels(6)); got != tt.want {
			t.Errorf("%v: labels %q, want %q", tt.values, got, tt.want)
		}
		for _, v := range tt.values {
			if e := s.eighths(v, 6); v > 0 && (e < 1 || e > 48) {
				t.Errorf("%v reaches %d eighths", v, e)
			}
		}
	}
}

func TestEventsThatDoNotFitAreLeftToTheList(t *testing.T) {
	m := inStorm(2)
	m.status.Events = nil
	for range 40 {
		m.status.Events = append(m.status.Events, result.Event{T: 12, Kind: result.EventFlood, Until: new(13.)}, result.Event{T: 29.9, Kind: result.EventAbort}, result.Event{T: 1e9, Kind: "new", Target: "x\x1b[2J"})
	}
	m.Update(tea.WindowSizeMsg{Width: 120, Height: 40})
	frame := ansi.Strip(m.frame())
	if n := strings.Count(frame, "▲flood"); n != maxLanes {
		t.Errorf("%d of the same column in %d lanes:\n%s", n, maxLanes, frame)
	}
	if !strings.Contains(frame, "abort▲") {
		t.Errorf("what is at the right edge is not named to its left:\n%s", frame)
	}
}
