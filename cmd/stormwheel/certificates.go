package main

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/server"
)

// certificates are those of files, read again when these change.
type certificates struct {
	pairs   []*server.KeyPair
	files   [][2]string
	changed [][2]time.Time // when they had changed as of the last look
	warned  time.Time      // that one expires

	authorities []*clientAuthorities
}

func (c *certificates) load(cert, key string) (*server.KeyPair, error) {
	pair, err := server.LoadKeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	c.pairs, c.files = append(c.pairs, pair), append(c.files, [2]string{cert, key})
	c.changed = append(c.changed, bothChangedAt(c.files[len(c.files)-1]))
	return pair, nil
}

// bothChangedAt is of each by itself: the later of two files to come may be the older.
func bothChangedAt(files [2]string) [2]time.Time {
	return [2]time.Time{changedAt(files[0]), changedAt(files[1])}
}

// changedAt is when a file was written last, zero if it is not there.
func changedAt(file string) time.Time {
	info, err := os.Stat(file)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

const (
	lookAtFiles  = 10 * time.Second
	expiresSoon  = 14 * 24 * time.Hour
	remindExpiry = 24 * time.Hour
)

// watch reads certificates again when their files change and whenever it is told to, until again is
// closed. What cannot be read leaves the old one in place.
func (c *certificates) watch(log *slog.Logger, again <-chan os.Signal, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	c.remind(log)
	for {
		asked := false
		select {
		case _, asked = <-again:
			if !asked {
				return
			}
		case <-ticker.C:
		}
		c.reread(log, asked)
		c.remind(log)
	}
}

// reread reads those again whose files have changed, or all.
func (c *certificates) reread(log *slog.Logger, all bool) {
	for i, pair := range c.pairs {
		changed := bothChangedAt(c.files[i])
		if !all && changed == c.changed[i] {
			continue
		}
		c.changed[i] = changed
		if err := pair.Reload(); err != nil {
			log.Error("a certificate cannot be read; the old one stays", "file", c.files[i][0], "err", err)
			continue
		}
		log.Info("a certificate was read again", "file", c.files[i][0], "expires", pair.Expires())
	}
	for _, a := range c.authorities {
		changed := changedAt(a.file)
		if !all && changed.Equal(a.changed) {
			continue
		}
		a.changed = changed
		if err := a.reload(); err != nil {
			log.Error("authorities of clients cannot be read; the old ones stay", "file", a.file, "err", err)
			continue
		}
		log.Info("authorities of clients were read again", "file", a.file)
	}
}

// remind warns of certificates that expire, once a day.
func (c *certificates) remind(log *slog.Logger) {
	now := time.Now()
	if now.Sub(c.warned) < remindExpiry {
		return
	}
	for i, pair := range c.pairs {
		if pair.Expires().Sub(now) < expiresSoon {
			c.warned = now
			log.Warn("a certificate expires", "file", c.files[i][0], "expires", pair.Expires())
		}
	}
}

// follow has the files read again at each SIGHUP, and when they change, until stop is called. Without
// certificates, or with one that was made here, there are none.
func (c *certificates) follow(log *slog.Logger) (stop func()) {
	if len(c.pairs) == 0 && len(c.authorities) == 0 {
		return func() {}
	}
	again, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(again, syscall.SIGHUP)
	go func() {
		defer close(ended)
		c.watch(log, again, lookAtFiles)
	}()
	return func() {
		signal.Stop(again)
		close(again)
		<-ended
	}
}
