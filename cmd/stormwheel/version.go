package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// revision is what git described when make built this; empty otherwise.
var revision string

type versionCmd struct{}

func (versionCmd) Help() string { return "Example: stormwheel version" }

func (versionCmd) Run() error {
	_, err := fmt.Printf("stormwheel %s\n%s %s/%s\nkernel %s\n",
		buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH, kernel())
	return err
}

// buildVersion is the revision that make knew; otherwise the module's version and, if the
// build saw a repository, its revision.
func buildVersion() string {
	if revision != "" {
		return revision
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	version := info.Main.Version
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if seen := settings["vcs.revision"]; seen != "" {
		version += " " + seen + " " + settings["vcs.time"]
		if settings["vcs.modified"] == "true" {
			version += " modified"
		}
	}
	return version
}

// kernel is the release of the running kernel, where /proc tells it.
func kernel() string {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "(unknown)"
	}
	return strings.TrimSpace(string(b))
}
