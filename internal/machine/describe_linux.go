package machine

import "golang.org/x/sys/unix"

const system = "Linux"

func processor() string { return field("/proc/cpuinfo", "model name") }

func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}
