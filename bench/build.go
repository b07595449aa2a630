package bench

import (
	"cmp"
	"runtime"
	"runtime/debug"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/machine"
)

// thisBuild describes this binary and this machine. No version given: that of the module.
func thisBuild(version string) result.Build {
	here := machine.Describe()
	b := result.Build{Version: version, Go: runtime.Version(), Kernel: cmp.Or(here.Kernel, runtime.GOOS), CPUs: here.Cores, Processor: here.Processor, LocalPorts: machine.LocalPorts()}
	if version == "" {
		b.Version = buildVersion()
	}
	if here.Memory > 0 {
		b.MemoryBytes = &here.Memory
	}
	return b
}

func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}
