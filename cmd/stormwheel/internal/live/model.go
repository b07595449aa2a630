package live

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/result"
)

// model is what the screen shows.
type model struct {
	width, height int
	look          look
	keys          keys

	last     bench.Update    // of either kind
	status   *bench.Status   // of the last second; nil: none has passed
	before   *bench.Status   // of the second before
	seconds  []result.Second // the last maxHistory, without what is large in them
	events   []event
	broke    *broken // the first promise or rule that failed for good; nil: none has
	stopping bool    // the user has asked for the end
}

// broken is a promise or rule that nothing can mend any more, and when that was seen.
type broken struct {
	expr string
	at   time.Duration
}

// maxHistory is how many seconds are kept: more than the graphs show.
const maxHistory = 4096

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
		second := s.Second
		second.Counts, second.Histograms, second.Servers = nil, nil, nil
		m.seconds = keep(append(m.seconds, second), maxHistory)
		m.judge(u.At)
	}
}

// judge notes the first threshold that fails for good.
func (m *model) judge(at time.Duration) {
	for _, o := range m.status.Outlook {
		if m.broke == nil && o.State == result.Failed {
			m.broke = &broken{o.Expr, at}
		}
	}
}

// series is one figure of the last n seconds; 0 where it is not known.
func (m *model) series(n int, of figureOf) []float64 {
	last := keep(m.seconds, max(n, 0))
	all := make([]float64, len(last))
	for i := range last {
		if v := of(&last[i]); v > 0 { // NaN is not
			all[i] = v
		}
	}
	return all
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
