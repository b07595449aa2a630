package main

import (
	"io"
	"sync/atomic"
	"time"
)

// A reader of standard error that stops reading without going away fills the pipe, and the next
// write to it does not return. The node's event loops log; so they hand their lines to a
// goroutine that may be kept waiting, and lines beyond a bound are dropped and counted.

const (
	logLines  = 1024        // that may wait to be written
	flushTime = time.Second // what the end of the process waits for them
)

// logWriter writes lines to out without ever making who logs wait. Any goroutine may use it.
type logWriter struct {
	out     io.Writer
	lines   chan []byte
	dropped atomic.Uint64     // since this was last told
	tell    func(lost uint64) // logs how many lines were dropped
	ending  chan struct{}
	ended   chan struct{}
}

func newLogWriter(out io.Writer) *logWriter {
	return &logWriter{out: out, lines: make(chan []byte, logLines), ending: make(chan struct{}), ended: make(chan struct{})}
}

// Write takes one line. It is never refused, but it may be dropped.
func (w *logWriter) Write(line []byte) (int, error) {
	select {
	case w.lines <- append([]byte(nil), line...):
	default:
		w.dropped.Add(1)
	}
	return len(line), nil
}

// run writes what comes until close, and then what is left.
func (w *logWriter) run() {
	defer close(w.ended)
	for {
		select {
		case line := <-w.lines:
			w.write(line)
		case <-w.ending:
			for {
				select {
				case line := <-w.lines:
					w.write(line)
				default:
					if !w.tellDropped() {
						return
					}
				}
			}
		}
	}
}

func (w *logWriter) write(line []byte) {
	_, _ = w.out.Write(line)       // a reader that has gone is not worth the node's end
	if len(w.lines) < logLines/2 { // that line must not be dropped, too
		w.tellDropped()
	}
}

func (w *logWriter) tellDropped() (told bool) {
	lost := w.dropped.Swap(0)
	if lost > 0 && w.tell != nil {
		w.tell(lost)
	}
	return lost > 0
}

// close writes what waits, for flushTime at most.
func (w *logWriter) close() {
	close(w.ending)
	within(flushTime, w.ended)
}

// within waits for done, for d at most.
func within(d time.Duration, done <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}
