package main

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/stormwheel/stormwheel/codec"
)

// The editor looks at its whole line for each rune that is typed, so that the time of a paste grew with the
// square of its length. So a long run of text is given to it as one rune, the stand-in, in whose place the
// listener puts the text.

// standIn is no character: none is typed.
const standIn = '\U0010fffe'

// longRun is from how many bytes on text that comes at once goes around the editor.
const longRun = 32

// pastes are the runs whose stand-ins the editor has not come to, and what is needed to find more.
type pastes struct {
	full func() // tells that a line takes no more

	escape byte // the latest byte of an escape sequence that goes on; 0: none
	length int  // of the line at most, in bytes, since its latest control character
	told   bool // that it is full

	mu   sync.Mutex
	runs []string // oldest first
}

// typed returns what the editor gets for bytes that were typed or pasted. It is called by one goroutine.
func (p *pastes) typed(b []byte) []byte {
	keys := make([]byte, 0, len(b))
	begun := 0 // the run of text
	for i, c := range b {
		switch {
		case p.escape != 0:
			p.escape = escapeAfter(p.escape, c)
			begun = i + 1
			keys = append(keys, c)
		case c < ' ' && c != '\t' || c == 0x7f:
			keys = p.run(keys, b[begun:i])
			begun = i + 1
			keys = append(keys, c)
			p.length, p.told = 0, false
			if c == 0x1b {
				p.escape = c
			}
		}
	}
	return p.run(keys, b[begun:])
}

// escapeAfter is what p.escape is behind one more byte: ESC [ or ESC O goes on to what is neither a digit nor ";".
func escapeAfter(escape, c byte) byte {
	switch {
	case escape == 0x1b && (c == '[' || c == 'O' || c == 0x1b):
		return c
	case escape != 0x1b && (c == ';' || '0' <= c && c <= '9'):
		return escape
	}
	return 0
}

// run appends a run of text, or a stand-in. Beyond what a message may have it is dropped.
func (p *pastes) run(keys, text []byte) []byte {
	if p.length += len(text); p.length > codec.MaxBody {
		if !p.told {
			p.told = true
			p.full()
		}
		return keys
	}
	if len(text) < longRun {
		return append(keys, text...)
	}
	from, to := 0, len(text) // of whole runes
	for from < utf8.UTFMax-1 && !utf8.RuneStart(text[from]) {
		from++
	}
	for at := to - 1; at >= to-utf8.UTFMax; at-- {
		if utf8.RuneStart(text[at]) {
			if !utf8.FullRune(text[at:]) {
				to = at
			}
			break
		}
	}
	p.mu.Lock()
	p.runs = append(p.runs, strings.ToValidUTF8(string(text[from:to]), "\ufffd"))
	p.mu.Unlock()
	keys = append(keys, text[:from]...)
	keys = utf8.AppendRune(keys, standIn)
	return append(keys, text[to:]...)
}

// listen is the editor's listener: it puts a run in the place of its stand-in. A search, which does not write
// what is typed into the line, loses it.
func (p *pastes) listen(line []rune, pos int, key rune) ([]rune, int, bool) {
	if key != standIn {
		return nil, 0, false
	}
	p.mu.Lock()
	if len(p.runs) == 0 {
		p.mu.Unlock()
		return nil, 0, false
	}
	run := []rune(p.runs[0])
	p.runs = p.runs[1:]
	p.mu.Unlock()
	if pos == 0 || line[pos-1] != standIn {
		return nil, 0, false
	}
	whole := make([]rune, 0, len(line)+len(run)-1)
	whole = append(append(append(whole, line[:pos-1]...), run...), line[pos:]...)
	return whole, pos - 1 + len(run), true
}
