@rem SPDX-License-Identifier: LGPL-2.1-or-later
@echo off
setlocal DisableDelayedExpansion
set "script=%~n0"
set "does=Shows how loud the computer plays, twice a second: rms and peak of each channel, in dB below full scale."
set "extension="
set "more="
call "%~dp0lib\begin.cmd" %* || goto end
@echo on
"%gst_launch%" -m zcloopbacksrc%settings% ! audioconvert ! level interval=500000000 ! fakesink
@echo off
set "status=%errorlevel%"
:end
call "%~dp0lib\end.cmd"
