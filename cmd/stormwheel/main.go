// What libraries listen at, as NATS does for the cluster, is an ordinary socket, too: one of MPTCP is a kernel object
// more, and fails at options that others know.
//go:debug multipathtcp=0

// Command stormwheel serves very many long-lived connections, talks to such a server from
// a terminal, loads one, and says what the machine can hold.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

type command struct {
	Serve   serveCmd   `cmd:"" help:"Run a node that acknowledges and echoes what clients send."`
	Bench   benchCmds  `cmd:"" help:"Load servers with a swarm of clients and judge what they did."`
	Worker  workerCmd  `cmd:"" name:"bench-worker" hidden:"" help:"Hold a share of a bench's clients; bench starts it."`
	Connect connectCmd `cmd:"" help:"Be a client in the terminal."`
	Token   tokenCmd   `cmd:"" help:"Make a token that admits a client."`
	Cluster clusterCmd `cmd:"" help:"Ask a node about its cluster."`
	Doctor  doctorCmd  `cmd:"" help:"Check what this machine's limits allow."`
	Version versionCmd `cmd:"" help:"Say which build this is."`
}

const (
	exitError = 1
	exitUsage = 2
)

func main() {
	// A reader that goes, of a log, of what connect shows or of a summary, is an error of the
	// write, never the end of the process.
	signal.Ignore(syscall.SIGPIPE)
	if err := run(os.Args[1:]); err != nil {
		said := make(chan struct{})
		go func() {
			fmt.Fprintf(os.Stderr, "stormwheel: %s\n", oneLine(err))
			close(said)
		}()
		within(flushTime, said) // a pipe that is full and not read keeps nobody
		os.Exit(exitCode(err))
	}
}

func run(args []string) error {
	var cmd command
	args, helpOnly := asParsed(args)
	app, err := kong.New(&cmd, append(benchFlags,
		kong.Name("stormwheel"),
		kong.Description("An edge for very many long-lived connections. "+
			"Every flag also reads from the environment variable shown beside it; "+
			"stormwheel help COMMAND shows them."),
		kong.DefaultEnvars("STORMWHEEL"),
		kong.Help(benchHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))...)
	if err != nil {
		return err
	}
	if helpOnly {
		app.Stdout, app.Exit = os.Stderr, func(int) { os.Exit(exitUsage) }
	}
	ctx, err := app.Parse(args)
	if errors.Is(err, syscall.EPIPE) {
		return nil // who reads the help has seen enough
	}
	if err != nil {
		return usageError{err}
	}
	return ctx.Run()
}

// asParsed puts what people type into the words of the parser. Nothing at all asks for
// help, as a fault of the command line.
func asParsed(args []string) (parsed []string, helpOnly bool) {
	switch {
	case len(args) == 0:
		return []string{"--help"}, true
	case args[0] == "--version":
		return append([]string{"version"}, args[1:]...), false
	case args[0] == "help":
		args = append(slices.Clone(args[1:]), "--help")
	}
	// The flags are those of "bench run", which the parser's help would not show.
	if len(args) == 2 && args[0] == "bench" && (args[1] == "--help" || args[1] == "-h") {
		args = []string{"bench", "run", "--help"}
	}
	// The parser takes the -1 of "--flag -1" for a flag; ours are long and never numbers.
	for _, arg := range args {
		last := len(parsed) - 1
		if last >= 0 && negative.MatchString(arg) && strings.HasPrefix(parsed[last], "--") && !strings.Contains(parsed[last], "=") {
			parsed[last] += "=" + arg
			continue
		}
		parsed = append(parsed, arg)
	}
	return parsed, false
}

var negative = regexp.MustCompile(`^-[0-9]`)

// usageError is a fault of the command line.
type usageError struct{ error }

func (usageError) ExitCode() int   { return exitUsage }
func (e usageError) Unwrap() error { return e.error }

// exitCode is the first code that the chain of err names. What is no exit code of ours,
// such as the -1 of a child that a signal ended, counts as a plain error.
func exitCode(err error) int {
	var coder interface{ ExitCode() int }
	if errors.As(err, &coder) {
		if code := coder.ExitCode(); code > 0 && code < 256 {
			return code
		}
	}
	return exitError
}

// oneLine keeps errors to a line each, whoever worded them.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
