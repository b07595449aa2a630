package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// historyBytes bounds the history in memory; the file is cut to it when it has twice as much.
const historyBytes = 1 << 20

// foundMost is how many lines a search shows, the latest.
const foundMost = 20

// history is what was said and heard: lines in memory and, if it has one, in a file that only its owner
// reads. Lines are clean.
type history struct {
	mu    sync.Mutex
	lines []string
	bytes int // of lines
	path  string
	file  *os.File // nil: in memory only
	size  int64    // of file
}

// historyPath is where the history of an identity is kept; "" if there is no place.
func historyPath(id string) string {
	folder := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(folder) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		folder = filepath.Join(home, ".local", "state")
	}
	name := url.PathEscape(id)
	if len(name) > 100 {
		name = fmt.Sprintf("%x", sha256.Sum256([]byte(id)))
	}
	return filepath.Join(folder, "stormwheel", "chat-"+name)
}

// openHistory reads what is there. With an error the history is in memory only.
func openHistory(path string) (*history, error) {
	h := &history{path: path}
	if path == "" {
		return h, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return h, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return h, err
	}
	if err := h.load(f); err != nil {
		return h, errors.Join(err, f.Close())
	}
	h.file = f
	return h, nil
}

func (h *history) load(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", f.Name())
	}
	if err := f.Chmod(0o600); err != nil {
		return err
	}
	h.size = info.Size()
	from := max(h.size-historyBytes, 0)
	b, err := io.ReadAll(io.NewSectionReader(f, from, historyBytes))
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if from > 0 {
		lines = lines[1:] // the rest of one
	}
	for _, line := range lines {
		if line != "" {
			h.keep(clean(line))
		}
	}
	return nil
}

// keep adds a line in memory and forgets the oldest.
func (h *history) keep(line string) {
	h.lines = append(h.lines, line)
	h.bytes += len(line) + 1
	for h.bytes > historyBytes {
		h.bytes -= len(h.lines[0]) + 1
		h.lines[0] = ""
		h.lines = h.lines[1:]
	}
}

// add keeps what somebody said. A file that takes no more is left alone.
func (h *history) add(at time.Time, who, room, text string) {
	line := at.Local().Format("2006-01-02 15:04:05 ") + clean(who)
	if room != "" {
		line += "[" + clean(room) + "]"
	}
	line += ": " + clean(text)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keep(line)
	if h.file == nil {
		return
	}
	n, err := h.file.WriteString(line + "\n")
	h.size += int64(n)
	if err == nil && h.size > 2*historyBytes {
		err = h.cut()
	}
	if err != nil {
		_ = h.file.Close() // the first error says it
		h.file = nil
	}
}

// cut replaces the file by what is in memory.
func (h *history) cut() error {
	f, err := os.CreateTemp(filepath.Dir(h.path), filepath.Base(h.path)+".*") // 0600
	if err != nil {
		return err
	}
	n, err := f.WriteString(strings.Join(h.lines, "\n") + "\n")
	if err == nil {
		err = os.Rename(f.Name(), h.path)
	}
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	_ = h.file.Close() // it is gone
	h.file, h.size = f, int64(n)
	return nil
}

// search returns the latest lines with a word, whatever its case, oldest first.
func (h *history) search(word string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	word = strings.ToLower(word)
	var found []string
	for _, line := range h.lines {
		if strings.Contains(strings.ToLower(line), word) {
			found = append(found, line)
		}
	}
	return found[max(len(found)-foundMost, 0):]
}

func (h *history) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.file != nil {
		_ = h.file.Close() // every line was written by itself
		h.file = nil
	}
}
