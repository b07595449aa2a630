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

// Part is what a process does that is started for one measurement: it takes a JSON value and
// gives one.
type Part func(arg []byte) (any, error)

// PartOf makes a part out of a function of a type.
func PartOf[T, R any](do func(T) (R, error)) Part {
	return func(arg []byte) (any, error) {
		var in T
		if err := json.Unmarshal(arg, &in); err != nil {
			return nil, err
		}
		return do(in)
	}
}

// From has a part fill the figures of a record, within limit.
func (r *Record) From(ctx context.Context, limit time.Duration, part string, in any) error {
	arg, err := json.Marshal(in)
	if err != nil {
		return err
	}
	c, _, err := Command("part", part, string(arg))
	if err != nil {
		return err
	}
	defer c.Close()
	line, err := c.Start(ctx, limit)
	if err != nil {
		return fmt.Errorf("%s: %w", part, err)
	}
	return json.Unmarshal([]byte(line), &r.Figures)
}

// RunPart is the main of such a process. It ends with its input, so that none outlives the
// measurement, and says one line.
func RunPart(sections []Section, name, arg string) error {
	for _, s := range sections {
		part, ok := s.Parts[name]
		if !ok {
			continue
		}
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
		out, err := part([]byte(arg))
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(out)
	}
	return fmt.Errorf("no part %q", name)
}
