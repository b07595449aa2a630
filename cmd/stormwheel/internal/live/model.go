// Package live shows a run of bench on a terminal while it runs.
//
// The model is a pure function of the messages that came: updates of the run, sizes of the
// terminal, keys. frame draws it. Screen (screen.go) is the one part that touches a
// terminal.
package live

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/stormwheel/stormwheel/bench"
)

// model is what the screen shows.
type model struct {
	width, height int
	look          look
	keys          keys

	last      bench.Update  // of either kind
	status    *bench.Status // of the last second; nil: none has passed
	before    *bench.Status // of the second before
	attempts  []float64     // a second each, the last maxHistory
	connected []float64
	rtt       []float64 // p99; -1: there was none
	events    []event
	stopping  bool // the user has asked for the end
}

// keys are what keys do. They are called off the program's goroutine.
type keys struct {
	stop     func() // the run ends early, with its result
	kill     func() // at once
	suspends bool   // Ctrl-Z does
}

type event struct {
	at   time.Duration
	text string
}

const (
	maxHistory = 1024 // wider than any terminal
	maxEvents  = 512
)

// updates is a message with what the run has told since the last one.
type updates []bench.Update

func newModel(l look, k keys) *model { return &model{width: 80, height: 24, look: l, keys: k} }

// Init asks whether the background is dark; a terminal that does not answer counts as dark.
func (m *model) Init() tea.Cmd { return tea.RequestBackgroundColor }

// Update takes one message.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case updates:
		for _, u := range msg {
			m.take(u)
		}
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.BackgroundColorMsg:
		m.look = m.look.on(msg.IsDark())
	case tea.KeyPressMsg:
		return m, m.press(msg.String())
	}
	return m, nil
}

func (m *model) press(key string) tea.Cmd {
	switch {
	case key == "ctrl+z" && m.keys.suspends:
		return tea.Suspend
	case key == "ctrl+c" && m.stopping:
		return do(m.keys.kill)
	case (key == "ctrl+c" || key == "q") && !m.stopping:
		m.stopping = true
		return do(m.keys.stop)
	}
	return nil
}

func do(f func()) tea.Cmd { return func() tea.Msg { f(); return nil } }

func (m *model) take(u bench.Update) {
	m.last = u
	if u.Event != "" {
		m.events = keep(append(m.events, event{u.At, clean(u.Event)}), maxEvents)
	}
	if s := u.Status; s != nil {
		m.before, m.status = m.status, s
		m.attempts = keep(append(m.attempts, float64(s.Attempts)), maxHistory)
		m.connected = keep(append(m.connected, float64(s.Established)), maxHistory)
		p99 := -1.0
		if s.RTTp99 != nil {
			p99 = *s.RTTp99
		}
		m.rtt = keep(append(m.rtt, p99), maxHistory)
	}
}

// keep is the last n.
func keep[T any](all []T, n int) []T { return all[max(len(all)-n, 0):] }

// View draws the model.
func (m *model) View() tea.View {
	v := tea.NewView(m.frame())
	v.AltScreen = true
	v.DisableBracketedPasteMode = true
	return v
}
