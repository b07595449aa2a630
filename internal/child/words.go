package child

import (
	"strings"
	"sync"
)

// Complaint is the end of what it wrote to its standard error.
func (c *Child) Complaint() string { return c.stderr.text() }

// LastWords are the last lines of that, indented, with a line break before them, to follow an
// error. They are empty when there are none, and when somebody killed it: then they explain
// nothing.
func (c *Child) LastWords() string {
	text := c.Complaint()
	if text == "" || c.killed() {
		return ""
	}
	lines := strings.Split(text, "\n")
	lines = lines[max(0, len(lines)-5):]
	return "\n  | " + strings.Join(lines, "\n  | ")
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	end []byte
}

const tailBytes = 2048

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p...)
	if over := len(t.end) - tailBytes; over > 0 {
		t.end = t.end[:copy(t.end, t.end[over:])]
	}
	return len(p), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.end))
}
