package proc

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// Processors is what all processors of the machine have done since its start, in steps of 10 ms.
type Processors struct {
	Busy   time.Duration // for all its processes and for the kernel
	Stolen time.Duration // were wanted, while the host had them do something else
}

// ReadProcessors is zero where it cannot be read. Who runs in a container sees the machine's all the same.
func ReadProcessors() Processors {
	text, _ := os.ReadFile("/proc/stat")
	return parseProcessors(text)
}

// parseProcessors reads "cpu user nice system idle iowait irq softirq steal ...", in hundredths of a second; guests are
// in user and nice.
func parseProcessors(text []byte) Processors {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	f := bytes.Fields(line)
	if len(f) < 9 || string(f[0]) != "cpu" {
		return Processors{}
	}
	ticks := func(fields ...int) (sum time.Duration) {
		for _, i := range fields {
			n, _ := strconv.ParseInt(string(f[i]), 10, 64)
			sum += time.Duration(n) * time.Second / 100
		}
		return sum
	}
	return Processors{Busy: ticks(1, 2, 3, 6, 7), Stolen: ticks(8)}
}

// Known says whether it could be read.
func (p Processors) Known() bool { return p != Processors{} }

// Since is what they did since an earlier reading.
func (p Processors) Since(before Processors) Processors {
	return Processors{Busy: max(p.Busy-before.Busy, 0), Stolen: max(p.Stolen-before.Stolen, 0)}
}
