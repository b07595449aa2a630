package child

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Start starts it and returns the first line that it says, within patience. An error says why
// there is none, with its last words, and leaves no process behind; ctx is asked until then.
func (c *Child) Start(ctx context.Context, patience time.Duration) (line string, err error) {
	out, in := io.Pipe()
	if err := c.Launch(in); err != nil {
		return "", err
	}
	go c.listen(out)
	if line, err = c.next(ctx, patience); err != nil {
		c.Close()
	}
	return line, err
}

// listen keeps lines until somebody takes them, and drops those that are too many: a full pipe
// would stop the child.
func (c *Child) listen(out io.Reader) {
	said := bufio.NewScanner(out)
	said.Buffer(nil, mostLine)
	for said.Scan() {
		select {
		case c.lines <- said.Text():
		default:
		}
	}
	c.tooLong = errors.Is(said.Err(), bufio.ErrTooLong)
	close(c.lines)
	io.Copy(io.Discard, out)
}

const (
	mostLine  = 1 << 20 // bytes
	mostLines = 64
)

// Line is the next line that it says. It needs Start.
func (c *Child) Line(patience time.Duration) (string, error) {
	return c.next(context.Background(), patience)
}

// Ask says a line to it, and returns the next that it says. It needs Pipe and Start, and one
// caller at a time.
func (c *Child) Ask(question string, patience time.Duration) (answer string, err error) {
	for len(c.lines) > 0 {
		<-c.lines // it was said unasked
	}
	if _, err := io.WriteString(c.stdin, question+"\n"); err != nil {
		return "", err
	}
	return c.Line(patience)
}

func (c *Child) next(ctx context.Context, patience time.Duration) (string, error) {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case line, ok := <-c.lines:
		switch {
		case ok:
			return line, nil
		case c.tooLong:
			return "", errors.New("a line of it is too long")
		}
		<-c.done // it has ended, and what it said with it
		return "", fmt.Errorf("%w%s", c.How(), c.LastWords())
	case <-late.C:
		return "", fmt.Errorf("nothing said for %v%s", patience, c.LastWords())
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
