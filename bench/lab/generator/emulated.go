package generator

import (
	"regexp"
	"strconv"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// emulatedFile is what bench/lab/million/million-vm.sh leaves in out/.
const emulatedFile = "million-vm.txt"

var (
	emulatedHead = regexp.MustCompile(`(?m)^MACHINE (\d+ \d+ \d+) (.+?)\r?$`)
	emulatedLine = regexp.MustCompile(`(?m)^RESULT (\w+): (\d+) connections, (\d+) bytes a connection, resident (\d+), empty (\d+), in after (\d+) s\r?$`)
)

// emulated tells what a connection costs a process that has all of them, in a machine that is emulated because this one
// does not allow a process so many descriptors.
func emulated(p *kit.Page, text string) {
	p.WriteString("### Many connections in one process\n\n")
	head, lines := emulatedHead.FindStringSubmatch(text), emulatedLine.FindAllStringSubmatch(text, -1)
	if head == nil || len(lines) == 0 {
		p.WriteString("Not measured: `bench/lab/million/million-vm.sh 1000000`, then `go -C bench/lab run . write generator`, writes its figures here.\n")
		return
	}
	p.Printf("`bench/lab/million/million-vm.sh %s` %s. Both ends are in that machine, whose processors say nothing about speed. A connection's bytes are what the resident set has grown by, by the connections, 130 s after the last was in.\n\n", head[1], head[2])
	var rows [][]string
	for _, line := range lines {
		rows = append(rows, []string{line[1], count(line[2]), count(line[3]), mib(line[4]), mib(line[5]), count(line[6])})
	}
	p.Table([]string{"server", "connections", "B a connection", "process, MiB", "empty, MiB", "all in after, s of the emulated clock"}, rows)
}

func count(digits string) string { return kit.Count(number(digits)) }

func mib(digits string) string { return kit.Count(number(digits) >> 20) }

func number(digits string) int {
	n, _ := strconv.Atoi(digits) // the pattern's digits
	return n
}
