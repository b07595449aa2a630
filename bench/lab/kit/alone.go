package kit

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/stormwheel/stormwheel/internal/child"
)

// Command is another process of this program, not yet started. It may end with its input.
func Command(args ...string) (c *child.Child, in io.Closer, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	c = child.Program{Argv: []string{program}}.Command(args...)
	in, err = c.Pipe()
	return c, in, err
}

// Task is what a process is started for.
type Task struct {
	Step
	Effort Effort
	Target string // address of the server that it is about, if any
}

// aloneTime bounds a task: a million clients come in less than a minute.
const aloneTime = 10 * time.Minute

// Alone has the section's Alone make a step in a process of its own.
func (k *Kept) Alone(ctx context.Context, s Step, target string) (figures map[string]float64, err error) {
	task, err := json.Marshal(Task{s, k.Effort, target})
	if err != nil {
		return nil, err
	}
	c, _, err := Command("part", k.Section, string(task))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	line, err := c.Start(ctx, aloneTime)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Subject, err)
	}
	return figures, json.Unmarshal([]byte(line), &figures)
}

// RunAlone is the main of such a process. It ends with its input, so that none outlives the
// measurement, and says one line.
func RunAlone(s Section, task string) error {
	var t Task
	if err := json.Unmarshal([]byte(task), &t); err != nil {
		return err
	}
	if s.Alone == nil {
		return fmt.Errorf("%s has no such process", s.Name)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	figures, err := s.Alone(t)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(figures)
}
