package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// gated takes nothing until it is opened.
type gated struct {
	open chan struct{}
	bytes.Buffer
}

func (g *gated) Write(p []byte) (int, error) {
	<-g.open
	return g.Buffer.Write(p)
}

// Lines beyond the bound are dropped, and their number is told once somebody reads again.
func TestLogWriterDropsAndTells(t *testing.T) {
	out := &gated{open: make(chan struct{})}
	w := newLogWriter(out)
	log := slog.New(slog.NewTextHandler(w, nil))
	w.tell = func(lost uint64) { log.Warn("log lines were dropped", "lines", lost) }
	go w.run()
	const more = 100
	for i := range logLines + 1 + more {
		log.Info(fmt.Sprint("line ", i))
	}
	close(out.open)
	w.close()
	<-w.ended
	lines := strings.Count(out.String(), "msg=\"line ")
	if want := fmt.Sprintf("lines=%d", logLines+1+more-lines); lines < logLines || !strings.Contains(out.String(), want) {
		t.Errorf("%d lines written, and not %q:\n%s", lines, want, out.String()[max(0, out.Len()-300):])
	}
}

// A writer that never returns does not keep the process.
func TestLogWriterEndsThoughNobodyReads(t *testing.T) {
	out := &gated{open: make(chan struct{})}
	w := newLogWriter(out)
	go w.run()
	fmt.Fprintln(w, "a line")
	w.close()
	close(out.open)
	<-w.ended
}
