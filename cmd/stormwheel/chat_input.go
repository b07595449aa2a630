package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/ergochat/readline"
	"github.com/stormwheel/stormwheel/codec"
	"golang.org/x/term"
)

// chatInput is where lines come from.
type chatInput interface {
	line() (string, error) // errLeft: the end
	interactive() bool
	prompt() // who hears what is typed has changed
	close()
}

// newInput is an editor if both ends are a terminal, and plain lines otherwise.
func (c *chat) newInput() (chatInput, error) {
	if c.json || !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stdout.Fd())) {
		s := bufio.NewScanner(os.Stdin)
		s.Buffer(nil, codec.MaxBody+1) // and a line's end
		return &plainInput{s}, nil
	}
	pasted := &pastes{full: func() {
		c.emit(chatEvent{Event: "error", Reason: fmt.Sprintf("a line has %d bytes at most: the rest of what was pasted is left out", codec.MaxBody)})
	}}
	k := newKeys(os.Stdin, pasted)
	e := &editor{c: c}
	listen := func(line []rune, pos int, key rune) ([]rune, int, bool) {
		e.begun = len(line) > 0
		return pasted.listen(line, pos, key)
	}
	var err error
	e.rl, err = readline.NewFromConfig(&readline.Config{Prompt: c.promptText(), AutoComplete: completer{c}, Undo: true,
		Stdin: k, Stdout: &screen{os.Stdout, k}, Listener: listen})
	if err != nil {
		return nil, err
	}
	c.term.mu.Lock()
	c.term.out = e.rl.Stdout() // what arrives is written above the line that is typed
	c.term.mu.Unlock()
	return e, nil
}

// plainInput is a pipe or a file.
type plainInput struct{ s *bufio.Scanner }

func (p *plainInput) line() (string, error) {
	if p.s.Scan() {
		return p.s.Text(), nil
	}
	if err := p.s.Err(); errors.Is(err, bufio.ErrTooLong) {
		return "", fmt.Errorf("a line is longer than %d bytes; it and what follows is not sent", codec.MaxBody)
	} else if err != nil {
		return "", err
	}
	return "", errLeft
}

func (*plainInput) interactive() bool { return false }
func (*plainInput) prompt()           {}
func (*plainInput) close()            {}

// editor is a terminal with line editing.
type editor struct {
	c     *chat
	rl    *readline.Instance
	begun bool // a line is: the editor does not say with an interrupt; the reader's
}

// line returns what was typed. Ctrl-C clears the line, and leaves on an empty one; so does Ctrl-D.
func (e *editor) line() (string, error) {
	for {
		line, err := e.rl.ReadLine()
		switch {
		case errors.Is(err, readline.ErrInterrupt) && e.begun:
		case errors.Is(err, readline.ErrInterrupt), errors.Is(err, io.EOF):
			return "", errLeft
		default:
			return line, err
		}
	}
}

func (*editor) interactive() bool { return true }
func (e *editor) prompt()         { e.rl.SetPrompt(e.c.promptText()) }
func (e *editor) close()          { _ = e.rl.Close() } // the terminal may be gone

// The editor asks the terminal where its cursor is and holds up all output until it hears that, for ever at
// a terminal that does not tell. So it is answered here: all that is shown ends a line, so that a prompt
// begins in the first column.
const (
	whereIsTheCursor = "\x1b[6n"
	inTheFirstColumn = "\x1b[1;1R"
)

// keys is what is typed, and the answers.
type keys struct {
	typed   chan []byte
	answers chan []byte
	rest    []byte
}

// newKeys reads in until that ends; nothing stops a read of a terminal before.
func newKeys(in io.Reader, pasted *pastes) *keys {
	k := &keys{typed: make(chan []byte), answers: make(chan []byte, 8)}
	go func() {
		defer close(k.typed)
		b := make([]byte, 16<<10)
		for {
			n, err := in.Read(b)
			if typed := pasted.typed(b[:n]); len(typed) > 0 {
				k.typed <- typed
			}
			if err != nil {
				return
			}
		}
	}()
	return k
}

// Read is the editor's.
func (k *keys) Read(b []byte) (int, error) {
	if len(k.rest) == 0 {
		select {
		case k.rest = <-k.answers:
		default:
			select {
			case k.rest = <-k.answers:
			case k.rest = <-k.typed:
			}
		}
	}
	if len(k.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, k.rest)
	k.rest = k.rest[n:]
	return n, nil
}

// screen is where the editor writes.
type screen struct {
	out  io.Writer
	keys *keys
}

// Write is the editor's.
func (s *screen) Write(b []byte) (int, error) {
	if string(b) == whereIsTheCursor {
		s.keys.answers <- []byte(inTheFirstColumn)
		return len(b), nil
	}
	return s.out.Write(b)
}

// promptText names who hears what is typed.
func (c *chat) promptText() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.to.room != "":
		return "[" + clean(c.to.room) + "] > "
	case c.to.user != "":
		return clean(c.to.user) + " > "
	default:
		return "> "
	}
}

// completer completes commands, the names of users and rooms, and those of emoji.
type completer struct{ c *chat }

// Do is readline's: the rests of what may follow, and how much of it is there.
func (o completer) Do(line []rune, pos int) (rests [][]rune, length int) {
	typed := string(line[:pos])
	begun := typed[strings.LastIndex(typed, " ")+1:]
	for _, word := range o.c.candidates(typed, begun) {
		if rest, fits := strings.CutPrefix(word, begun); fits {
			rests = append(rests, []rune(rest))
		}
	}
	return rests, len([]rune(begun))
}

// candidates are the words that may stand where begun is typed.
func (c *chat) candidates(typed, begun string) (words []string) {
	command, _, more := strings.Cut(typed, " ")
	switch {
	case !more && strings.HasPrefix(begun, ":"):
		for _, cmd := range chatCommands {
			words = append(words, cmd.name+" ")
		}
		return words
	case strings.HasPrefix(begun, ":"):
		for _, name := range emojiNames {
			words = append(words, ":"+name+": ")
		}
		return words
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known, what := c.names, "user"
	if command == ":join" || command == ":leave" || command == ":who" {
		known, what = c.rooms, "room"
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if checkName(what, name) == nil {
			words = append(words, name+" ")
		}
	}
	return words
}
