package codec

import "testing"

func TestCodesAscendAndNamesAreUnique(t *testing.T) {
	names := map[string]Code{}
	last := Code(0)
	for _, info := range Codes {
		if info.Code <= last {
			t.Errorf("code %d comes after %d, want ascending", info.Code, last)
		}
		last = info.Code
		if other, taken := names[info.Name]; taken || info.Name == "" || info.Meaning == "" {
			t.Errorf("code %d: name %q (also of %d), meaning %q", info.Code, info.Name, other, info.Meaning)
		}
		names[info.Name] = info.Code
		if info.Code < 3000 || info.Code > 3999 {
			t.Errorf("code %d is outside the ranges", info.Code)
		}
		if info.Code.Info() != info || info.Code.String() != info.Name {
			t.Errorf("code %d: Info() = %+v, String() = %q", info.Code, info.Code.Info(), info.Code)
		}
	}
}

func TestRangeSaysWhatToDo(t *testing.T) {
	for code, want := range map[Code]Advice{
		0: ReturnHere, 2999: ReturnHere, 3000: ReturnHere, 3199: ReturnHere,
		3200: ReturnElsewhere, 3499: ReturnElsewhere,
		3500: AvoidAddress, 3999: AvoidAddress,
		4000: ReturnHere, 65535: ReturnHere,
		CodeTokenExpired: ReturnHere,
		CodeDraining:     ReturnElsewhere, CodeReplaced: AvoidAddress, CodeUnauthorized: AvoidAddress,
	} {
		if got := code.Advice(); got != want {
			t.Errorf("Code(%d).Advice() = %d, want %d", uint16(code), got, want)
		}
	}
	if got := Code(3999).String(); got != "code 3999" {
		t.Errorf("unknown code prints %q", got)
	}
}

// Which refusals are the application's to give, and after which a message may be taken another time.
func TestNackCodesOfApplications(t *testing.T) {
	for code, want := range map[NackCode]struct{ own, again bool }{
		0: {false, false}, NackBusy: {true, true}, NackInternal: {true, true}, 3: {false, true}, 49: {false, true},
		50: {true, true}, 99: {true, true}, NackRefused: {true, false}, 101: {false, false}, 999: {false, false}, 1000: {true, false}, 65535: {true, false},
	} {
		if got := code.ForApplications(); got != want.own {
			t.Errorf("NackCode(%d).ForApplications() = %v", uint16(code), got)
		}
		if got := code.Again(); got != want.again {
			t.Errorf("NackCode(%d).Again() = %v", uint16(code), got)
		}
	}
}
