package scenario

import (
	"context"
	"fmt"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/child"
)

// blowCommand is the command of a storm; a nil one is over.
type blowCommand struct {
	shell *child.Shell
	seen  result.Command
	over  func() // is told that it has ended
	told  int    // lines
	said  bool
}

// mostTold is how many lines of a command are told as they come; all of them are among the last that the result has.
const mostTold = 20

// ended tells what the command says, and that it has ended.
func (b *blowCommand) ended(say func(string, ...any)) bool {
	if b == nil {
		return true
	}
	over := false
	select {
	case <-b.shell.Done():
		over = true
	default:
	}
	b.listen(over, say)
	if over && !b.said {
		b.said = true
		b.over()
		say("the command has ended after %.1f s: %s", b.shell.Took().Seconds(), howEnded(b.shell))
	}
	return over
}

func (b *blowCommand) listen(rest bool, say func(string, ...any)) {
	for _, line := range b.shell.Lines(rest) {
		b.seen.Said += line + "\n"
		b.seen.Said = b.seen.Said[max(0, len(b.seen.Said)-mostKept):]
		if b.told++; b.told <= mostTold {
			say("  | %s", line)
		}
		if b.told == mostTold {
			say("  | (what else it says is not shown)")
		}
	}
}

// mostKept is how much of what a command says the result has, in bytes.
const mostKept = 4096

func howEnded(shell *child.Shell) string {
	if code := shell.Code(); code != nil {
		return fmt.Sprintf("exit status %d", *code)
	}
	return shell.Exit().Error()
}

// end is what has become of the command. One that still runs is ended, with all of its process group.
func (b *blowCommand) end(ctx context.Context, say func(string, ...any)) *result.Command {
	if b == nil {
		return nil
	}
	defer b.shell.Remove()
	if !b.ended(say) {
		b.shell.End()
		b.seen.Failed = new(fmt.Sprintf("the command still ran after %.0f s (--recovery-timeout), and was ended, with its process group", b.shell.Took().Seconds()))
		if ctx.Err() != nil {
			b.seen.Failed = new(interruptedMeanwhile)
		}
		say("%s", *b.seen.Failed)
		b.ended(say)
	} else if b.shell.Exit() != nil {
		why := "the command of the storm failed: " + howEnded(b.shell)
		if last := lastLine(b.seen.Said); last != "" {
			why += ": " + last
		}
		b.seen.Failed = &why
	} else if ctx.Err() != nil {
		say("%s", interruptedMeanwhile)
	}
	b.seen.TookS, b.seen.Exit = b.shell.Took().Seconds(), b.shell.Code()
	return &b.seen
}

// interruptedMeanwhile is told of a run that is asked to end while its command, or what came of it, is under way.
const interruptedMeanwhile = "this load test was asked to end while the storm went on: a command that ends processes by their name, as pkill does, may have meant the load test, too"

// firstLine is a command line in a line, for people.
func firstLine(command string) string {
	first, _, more := strings.Cut(strings.TrimSpace(command), "\n")
	if more {
		first += " ..."
	}
	return first
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
