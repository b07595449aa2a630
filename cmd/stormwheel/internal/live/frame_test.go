package live

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
)

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// inStorm is a model 12 seconds into a run in which all has happened that can.
func inStorm(nodes int) *model {
	m := newModel(newLook(environment()), keys{})
	u := bench.Update{Scenario: "storm", Kind: "kill", Target: 4000}
	u.Event = "storm: 4000 clients, 1000 connects per second, seed 7"
	m.Update(updates{u})
	for second := range 12 {
		s := &bench.Status{RTT: &result.Percentiles{P50: .4, P99: 12.5}, LateSecond: &result.GeneratorLate{P99: 1},
			Lateness: &result.Lateness{P50: 120, P99: 240, Max: 260}, Failures: result.Failures{Refused: 1200, Busy: 3},
			Generator: result.Generator{Workers: 2, Valid: true, LateMs: &result.GeneratorLate{P50: .1, P99: 1.2, Max: 4},
				RSSBytes: new(int64(35e6)), CPUS: new(float64(second) * .2)}}
		s.T, s.Span, s.Ready = float64(second+1), 1, min(1000*(second+1), 4000)
		s.RTTMax, s.LateP99 = new(float64(20+second*second*8)), new(.9)
		s.Phases = []result.PhaseSeen{{Name: "ramp"}, {Name: "steady", T: 4.2}, {Name: "recovery", T: 8}}[:min(second/4+1, 3)]
		if second >= 8 {
			s.Events = []result.Event{{T: 8, Kind: result.EventKill, Target: "n1"}, {T: 8.1, Until: new(11.), Kind: result.EventSlow, Target: "n2"}}
		}
		if second == 8 {
			s.Lost, s.Unanswered, s.Ready = 2000, 130, 2000
		}
		s.Attempts, s.Established = 900+second*10, 880+second*10
		s.RTTp50, s.RTTp99 = new(.38), new(11.25)
		s.Muted, s.Evicted, s.False = 400, 399, 1
		s.Messages = &result.Messages{Sent: 4000, Acknowledged: 3990, Lost: 2, Published: 8000, Delivered: 7999, Undelivered: 1}
		s.Sent, s.Delivered, s.MessageP50, s.MessageP99, s.DeliverP50, s.DeliverP99 = 400, 800, new(1.1), new(12.5), new(5.0), new(40.0)
		for n := range nodes {
			s.Servers = append(s.Servers, result.Server{Addr: "127.0.0.1:7000", Node: new(fmt.Sprintf("n%d", n+1)), Killed: n == 0,
				Conns: new(2000), RSSBytes: new(int64(45e6)), CPUS: new(float64(second) * .12)})
		}
		s.Recovery = &tally.Recovery{Since: 8 * time.Second, Clients: 2000, Back: 1250, T50: new(2100 * time.Millisecond), Ideal: new(4 * time.Second)}
		s.Outlook = []result.Outlook{{Expr: "conns.end==4000", Actual: new(4000.), State: result.Holds},
			{Expr: "storm.attempts_per_success<=1.2"}, {Expr: "eviction.false==0", Actual: new(1.), State: result.Failed}}
		u := bench.Update{Scenario: "storm", Kind: "kill", Target: 4000, At: time.Duration(second+1) * time.Second, Status: s,
			Phase: bench.Phase{Name: "recovery", Since: 8 * time.Second, AtMost: time.Minute}}
		m.Update(updates{u})
	}
	u.At, u.Event = 12*time.Second, "kill -9 of node n1 (pid 4711) with 2000 clients"
	u.Phase = m.last.Phase
	m.Update(updates{u})
	return m
}

// plain is the frame's lines without their colours.
func plain(m *model) []string { return strings.Split(ansi.Strip(m.frame()), "\n") }

func TestFramesFillTheirSizeExactly(t *testing.T) {
	models := map[string]*model{"new": newModel(newLook(environment()), keys{}), "storm": inStorm(2), "many nodes": inStorm(64), "no node": inStorm(0)}
	wide := inStorm(2)
	wide.events = append(wide.events, event{0, clean("节点 n1 說了 \x1b[31mred\x1b[0m\n二 🌀🌀🌀🌀🌀🌀🌀🌀🌀🌀🌀🌀🌀🌀🌀🌀🌀🌀🌀🌀")})
	models["wide characters"] = wide
	for name, m := range models {
		for _, width := range []int{1, 2, 7, 11, 12, 39, 40, 41, 49, 50, 59, 60, 79, 80, 99, 100, 120, 300} {
			for _, height := range []int{1, 2, 3, 5, 11, 12, 15, 16, 19, 20, 22, 24, 30, 40, 100} {
				m.Update(tea.WindowSizeMsg{Width: width, Height: height})
				lines := strings.Split(m.frame(), "\n")
				if len(lines) != height {
					t.Errorf("%s at %dx%d: %d lines", name, width, height, len(lines))
				}
				for i, line := range lines {
					if w := lipgloss.Width(line); w > width {
						t.Errorf("%s at %dx%d: line %d has %d columns: %q", name, width, height, i, w, line)
					}
				}
			}
		}
	}
	m := inStorm(2)
	m.Update(tea.WindowSizeMsg{Width: 0, Height: 0})
	if m.frame() != "" {
		t.Error("a frame of no size has content")
	}
}

func TestFramesTellWhatMatters(t *testing.T) {
	always := []string{"storm kill", "recovery", "attempts", "connected", "1,010/s", "rtt", "T50 2.1", "evicted", "generator", "nodes", "kill -9 of node n1"}
	for _, tt := range []struct {
		width, height int
		want          []string
	}{
		{40, 12, []string{"4,000/4,000", "1,250/2,000, 0.0 s to ideal", "FAILED"}},
		{80, 24, []string{"4,000 of 4,000 ready", "1,250 of 2,000 back", "ideal 4.0 s, 0.0 s to go", "399 of 400 silent ones", "1 FALSE", "killed", "p99    240 ms", "2 workers", "35 MB", "1200 refused", "q  end now"}},
		{120, 40, []string{"✗ eviction.false==0", "· storm.attempts", "✓ conns.end==4000", "n2     2,000 conns     45 MB   12% cpu", "T95 -", "max 260"}},
	} {
		m := inStorm(2)
		m.Update(tea.WindowSizeMsg{Width: tt.width, Height: tt.height})
		frame := strings.Join(plain(m), "\n")
		for _, want := range append(always, tt.want...) {
			if !strings.Contains(frame, want) {
				t.Errorf("%dx%d: no %q in\n%s", tt.width, tt.height, want, frame)
			}
		}
	}
}

func TestManyNodesAreTheFirstFewAndTheirSum(t *testing.T) {
	m := inStorm(64)
	m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	frame := strings.Join(plain(m), "\n")
	for _, want := range []string{"n1", "n2", "all 64 126,000 conns", "1 gone"} {
		if !strings.Contains(frame, want) {
			t.Errorf("no %q in\n%s", want, frame)
		}
	}
}

func TestAStormThatHasHitNobodyYetSaysSo(t *testing.T) {
	m := inStorm(2)
	m.status.Recovery = &tally.Recovery{Since: 11 * time.Second}
	if frame := strings.Join(plain(m), "\n"); !strings.Contains(frame, "0 of 0 back") || !strings.Contains(frame, "nobody is hit yet") {
		t.Error(frame)
	}
}

func TestIdealIsCountedDownAndThenOver(t *testing.T) {
	for _, tt := range []struct {
		at   time.Duration
		all  *time.Duration
		want string
	}{
		{9 * time.Second, nil, "ideal 4.0 s, 3.0 s to go"},
		{13 * time.Second, nil, "ideal 4.0 s, 1.0 s over"},
		{15 * time.Second, new(4500 * time.Millisecond), "took 4.5 s, ideal 4.0 s"},
	} {
		m := inStorm(2)
		m.last.At, m.status.Recovery.T100 = tt.at, tt.all
		if frame := strings.Join(plain(m), "\n"); !strings.Contains(frame, tt.want) {
			t.Errorf("at %v: no %q in\n%s", tt.at, tt.want, frame)
		}
	}
}

func TestMessagesAreShownInAnyWidth(t *testing.T) {
	for _, width := range []int{45, 80, 120} {
		m := inStorm(2)
		m.Update(tea.WindowSizeMsg{Width: width, Height: 36})
		all := strings.Join(plain(m), "\n")
		for _, words := range []string{"sent    400/s", "12.5", "2 failed", "got     800/s", "40.0", "1 lost"} {
			if !strings.Contains(all, words) {
				t.Errorf("%d columns do not say %q:\n%s", width, words, all)
			}
		}
	}
	m := inStorm(2)
	m.status.Messages = &result.Messages{Sent: 4000, Acknowledged: 3990, Durable: 17, Held: 5, Confirmed: 3985, Delivered: 3990}
	m.Update(tea.WindowSizeMsg{Width: 120, Height: 36})
	if all, words := strings.Join(plain(m), "\n"), "ticks 3,985 of 4,000, 17 durable, 5 held"; !strings.Contains(all, words) {
		t.Errorf("who talks is not told %q:\n%s", words, all)
	}
	m = inStorm(2)
	m.status.Messages = nil
	if all := strings.Join(plain(m), "\n"); strings.Contains(all, "messages") {
		t.Errorf("a run that carries none says:\n%s", all)
	}
}
