package bench

import (
	"runtime"
	"runtime/debug"
)

// thisBuild describes this binary and this machine. No version given: that of the module.
func thisBuild(version string) Build {
	b := Build{Version: version, Go: runtime.Version(), Kernel: kernelRelease(), CPUs: runtime.NumCPU()}
	if version == "" {
		b.Version = buildVersion()
	}
	b.Processor, b.MemoryBytes = readMachine()
	return b
}

func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}
