//go:build !nonats

package natsbus

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// logger takes what the server says. Operators are told in the words of refusals.go; the server's own are for those
// who look for faults.
type logger struct {
	log  *slog.Logger
	hint chan struct{} // a connection may have ended
	*refusals

	mu    sync.Mutex
	fatal error
}

func newLogger(cfg Config) *logger {
	return &logger{log: cfg.Logger, hint: make(chan struct{}, 1), refusals: newRefusals(cfg)}
}

// failure is why the server cannot go on; nil: it can.
func (l *logger) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fatal
}

// forget forgets failure, before another server is started.
func (l *logger) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fatal = nil
}

// Noticef also says when connections end, and when the server does: whoever wants to know looks then, and need not look
// all the time.
func (l *logger) Noticef(format string, v ...any) {
	l.look()
	l.said(format, v)
}

// look has it looked at routes.
func (l *logger) look() {
	select {
	case l.hint <- struct{}{}:
	default:
	}
}

func (l *logger) Warnf(format string, v ...any)  { l.said(format, v) }
func (l *logger) Errorf(format string, v ...any) { l.said(format, v) }

func (l *logger) said(format string, v []any) {
	text := fmt.Sprintf(format, v...)
	l.hear(text, time.Now())
	l.log.Debug("NATS: " + text)
}

func (l *logger) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fatal = fmt.Errorf(format, v...)
}

func (l *logger) Debugf(format string, v ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("NATS: " + fmt.Sprintf(format, v...))
	}
}
func (l *logger) Tracef(format string, v ...any) {}
