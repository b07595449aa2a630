package live

import (
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
	shaken    []float64     // handshakes, a second each, the last maxHistory
	attempts  []float64     // likewise
	connected []float64
	rtt       []float64 // p99; -1: there was none
	events    []event
	stopping  bool // the user has asked for the end
}

// maxHistory is how many seconds are kept: more than any terminal has columns.
const maxHistory = 1024

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

func (m *model) take(u bench.Update) {
	m.last = u
	if u.Event != "" {
		m.events = keep(append(m.events, event{u.At, clean(u.Event)}), maxEvents)
	}
	if s := u.Status; s != nil {
		m.before, m.status = m.status, s
		m.shaken = keep(append(m.shaken, float64(s.Handshakes)), maxHistory)
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
