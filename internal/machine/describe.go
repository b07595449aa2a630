package machine

import (
	"cmp"
	"fmt"
	"runtime"
)

// Description is what a figure means nothing without. What is not known is empty or 0.
type Description struct {
	Processor string // its model
	Cores     int
	Memory    int64 // bytes
	Kernel    string
}

// Describe says on what kind of machine this is.
func Describe() Description {
	return Description{Processor: processor(), Cores: runtime.NumCPU(), Memory: Memory(), Kernel: kernel()}
}

// String is one line, with the version of Go: "Intel Xeon, 2 cores, 24684408 kB; Linux 6.18.44;
// go1.26.0 linux/amd64".
func (d Description) String() string {
	memory := "unknown"
	if d.Memory > 0 {
		memory = fmt.Sprintf("%d kB", d.Memory>>10)
	}
	return fmt.Sprintf("%s, %d cores, %s; %s %s; %s %s/%s", cmp.Or(d.Processor, "unknown"), d.Cores, memory,
		system, cmp.Or(d.Kernel, "unknown"), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
