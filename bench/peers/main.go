// Command peers measures a Stormwheel node beside other servers that answer the same
// frames, each in a process of its own, under the same clients, in turn.
//
//	peers bench --json F       measure everything, keep the raw figures in F
//	peers report --json F      write the sections and pictures from F
//	peers large --json F       what two processors can't show: a million in one process, more loops
//	peers overload             how many clients get in where more come than a server can take
//	peers check                a minute: are the budgets kept?
//	peers serve KIND           one server
//
// The subcommands' flags are told by --help.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/stormwheel/stormwheel/bench"
)

func main() {
	switch err := run(os.Args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "bench":
			return measureAll(args[1:])
		case "large":
			return measureLarge(args[1:])
		case "overload":
			return measureOverload(args[1:])
		case "report":
			return reportAgain(args[1:])
		case "check":
			return check(args[1:])
		case "serve":
			return serve(args[1:])
		case "bench-worker": // package bench starts them when there are too many clients for one process
			return bench.Work(os.Stdin, os.Stdout)
		}
	}
	return errors.New("usage: peers bench | report | large | overload | check | serve KIND, with flags")
}
