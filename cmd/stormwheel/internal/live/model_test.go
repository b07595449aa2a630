package live

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

func press(m *model, key tea.Key) {
	if _, cmd := m.Update(tea.KeyPressMsg(key)); cmd != nil {
		cmd()
	}
}

func TestKeysEndARunOnceAndAtOnceByASecondCtrlC(t *testing.T) {
	q, ctrlC := tea.Key{Code: 'q', Text: "q"}, tea.Key{Code: 'c', Mod: tea.ModCtrl}
	for _, tt := range []struct {
		name         string
		keys         []tea.Key
		stops, kills int
	}{
		{"q", []tea.Key{q}, 1, 0},
		{"q twice", []tea.Key{q, q}, 1, 0},
		{"ctrl-c", []tea.Key{ctrlC}, 1, 0},
		{"ctrl-c twice", []tea.Key{ctrlC, ctrlC}, 1, 1},
		{"q, then ctrl-c", []tea.Key{q, ctrlC}, 1, 1},
		{"another", []tea.Key{{Code: 'x', Text: "x"}}, 0, 0},
	} {
		stops, kills := 0, 0
		m := newModel(newLook(environment()), keys{stop: func() { stops++ }, kill: func() { kills++ }})
		for _, k := range tt.keys {
			press(m, k)
		}
		if stops != tt.stops || kills != tt.kills {
			t.Errorf("%s: %d stops, %d kills; want %d, %d", tt.name, stops, kills, tt.stops, tt.kills)
		}
		if ending := strings.Contains(ansi.Strip(m.frame()), "ending early"); ending != (tt.stops > 0) {
			t.Errorf("%s: the frame says that it ends: %v", tt.name, ending)
		}
	}
}

func TestCtrlZSuspendsWhereSomebodyCanWakeIt(t *testing.T) {
	for _, can := range []bool{false, true} {
		m := newModel(newLook(environment()), keys{suspends: can})
		_, cmd := m.Update(tea.KeyPressMsg{Code: 'z', Mod: tea.ModCtrl})
		if (cmd != nil) != can {
			t.Fatalf("can be woken: %v, does something: %v", can, cmd != nil)
		}
		if can {
			if _, ok := cmd().(tea.SuspendMsg); !ok {
				t.Error("ctrl-z does not suspend")
			}
		}
	}
}

func TestHistoryIsBounded(t *testing.T) {
	m := inStorm(2)
	for range 3 * maxHistory {
		m.Update(updates{{Status: m.status}, {Event: "again"}})
	}
	if len(m.seconds) != maxHistory || len(m.events) != maxEvents {
		t.Errorf("%d seconds, %d events are kept", len(m.seconds), len(m.events))
	}
}

func TestGlyphsSuitTheTerminal(t *testing.T) {
	for _, tt := range []struct {
		env   []string
		ascii bool
	}{
		{nil, false},
		{[]string{"LANG", "en_US.UTF-8"}, false},
		{[]string{"LANG", "C"}, false},
		{[]string{"LANG", "de_DE.ISO-8859-1"}, true},
		{[]string{"LC_ALL", "POSIX", "LANG", "en_US.UTF-8"}, true},
		{[]string{"LC_ALL", "en_US.utf8", "LANG", "POSIX"}, false},
		{[]string{"TERM", "linux", "LANG", "en_US.UTF-8"}, true},
	} {
		if got := newLook(environment(tt.env...)).full == asciiGlyphs.full; got != tt.ascii {
			t.Errorf("%v: ASCII %v, want %v", tt.env, got, tt.ascii)
		}
	}
	m := inStorm(2)
	m.look = newLook(environment("TERM", "linux"))
	for _, r := range ansi.Strip(m.frame()) {
		if r > '~' {
			t.Fatalf("%q on a terminal that has ASCII only:\n%s", r, m.frame())
		}
	}
}

func TestTheBackgroundChoosesTheColours(t *testing.T) {
	l := newLook(environment())
	if l.on(true).accent.Render("x") == l.on(false).accent.Render("x") {
		t.Error("the same accent on dark and light")
	}
	if _, cmd := newModel(l, keys{}).Update(updates{}); cmd != nil {
		t.Error("an update asks for something")
	}
}

func TestFigures(t *testing.T) {
	for got, want := range map[string]string{
		count(0): "0", count(999): "999", count(1000): "1,000", count(-1234567): "-1,234,567", count(-100): "-100",
		millis(0.384): "0.38", millis(9.996): "10.0", millis(99.96): "100", millis(1413.2): "1,413", millis(-3.2): "-3.20",
		size(1_234_567): "1.2 MB", size(45_000_000): "45 MB", size(12_300_000_000): "12.3 GB",
		clean("a\n\x1b[2Jb\x9b\u202ec"): "a [2Jbc",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	l := newLook(environment())
	if got := ansi.Strip(l.sparkline([]float64{-1, 0, 1, 4, 8}, 8, 6)); got != "   ▁▄█" {
		t.Errorf("sparkline = %q", got)
	}
	if got := ansi.Strip(l.bar(1, 3, 6) + l.bar(5, 0, 2) + l.bar(9, 3, 2)); got != "██░░░░████" {
		t.Errorf("bars = %q", got)
	}
}
