package live

import tea "charm.land/bubbletea/v2"

// keys are what keys do. They are called off the program's goroutine.
type keys struct {
	stop     func() // the run ends early, with its result
	kill     func() // at once
	suspends bool   // Ctrl-Z does
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

// foot names the keys.
func (m *model) foot(width int) []string {
	text := " q  end now, with the result so far"
	if m.keys.suspends {
		text += "   ctrl-z  suspend"
	}
	if m.stopping {
		text = " ending; ctrl-c again ends at once, without a result"
	}
	return []string{m.look.faint.Render(m.look.clip(text, width))}
}
