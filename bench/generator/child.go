package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// patience bounds what a part may take to say its line.
const patience = 3 * time.Minute

// child is one of the parts, in a process of its own.
type child struct {
	name string
	cmd  *exec.Cmd
	in   io.Closer
	out  *json.Decoder
	said bytes.Buffer // on standard error; complete when it has ended
}

func start(name string, args ...any) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{name: name, cmd: exec.Command(self, name)}
	for _, a := range args {
		c.cmd.Args = append(c.cmd.Args, fmt.Sprint(a))
	}
	c.cmd.Stderr = &c.said
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = json.NewDecoder(out)
	return c, c.cmd.Start()
}

// hear takes the one line that a part says.
func (c *child) hear(v any) error {
	late := time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() })
	defer late.Stop()
	if err := c.out.Decode(v); err != nil {
		c.end()
		return fmt.Errorf("%s said nothing (%w): %s", c.name, err, bytes.TrimSpace(c.said.Bytes()))
	}
	return nil
}

// end kills and reaps it. It may be repeated.
func (c *child) end() {
	_ = c.in.Close()
	_ = c.cmd.Process.Kill() // it may be gone already
	_ = c.cmd.Wait()
}

// say is the line that hear takes.
func say(v any) error { return json.NewEncoder(os.Stdout).Encode(v) }

// ready is what a server says.
type ready struct{ Listen string }

// against runs a part that measures, aimed at a server that is started for it alone.
func against(server []any, part string, args ...any) (o outcome, err error) {
	s, err := start(server[0].(string), server[1:]...)
	if err != nil {
		return o, err
	}
	defer s.end()
	var at ready
	if err := s.hear(&at); err != nil {
		return o, err
	}
	p, err := start(part, append([]any{"-target", at.Listen}, args...)...)
	if err != nil {
		return o, err
	}
	defer p.end()
	return o, p.hear(&o)
}

// outcome is what a part has measured; each fills its own.
type outcome struct {
	Ready   int // clients that were in at the end
	Refused int // attempts that failed

	ConnectsPerS float64

	// The process's own, in bytes: as it was, and after a collection whose garbage went back
	// to the kernel.
	RSS, Collected int64

	PingsPerS   float64   // median of the seconds of the hold
	LateP99     float64   // ms, of the whole run
	LateMax     float64   // ms, of the whole run
	LateSeconds []float64 // ms, the p99 of each second of the hold
}
