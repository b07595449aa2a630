//go:build !nonats

package natsbus

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// logger brings what the server says to the node's log: errors as warnings, of one kind once in repeatTime, and the
// rest for those who look for faults.
type logger struct {
	log  *slog.Logger
	hint chan struct{} // a connection may have ended

	mu    sync.Mutex
	said  map[string]time.Time // by format
	fatal error
}

const repeatTime = 30 * time.Second

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

func (l *logger) seldom(format string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.said == nil {
		l.said = make(map[string]time.Time)
	}
	now := time.Now()
	if at, ok := l.said[format]; ok && now.Sub(at) < repeatTime {
		return false
	}
	l.said[format] = now
	return true
}

// Noticef also says when connections end: whoever wants to know looks then, and need not look all the time.
func (l *logger) Noticef(format string, v ...any) {
	select {
	case l.hint <- struct{}{}:
	default:
	}
	l.Debugf(format, v...)
}

func (l *logger) Warnf(format string, v ...any) {
	if l.seldom(format) {
		l.log.Warn("NATS: " + fmt.Sprintf(format, v...))
	}
}

func (l *logger) Errorf(format string, v ...any) { l.Warnf(format, v...) }

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
