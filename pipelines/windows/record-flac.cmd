@rem SPDX-License-Identifier: LGPL-2.1-or-later
@echo off
setlocal DisableDelayedExpansion
set "script=%~n0"
set "does=Records what the computer plays into a FLAC file: 24 bits, packed without loss."
set "extension=flac"
set "more="
call "%~dp0lib\begin.cmd" %* || goto end
@echo on
"%gst_launch%" -q -e zcloopbacksrc%settings% ! audioconvert ! audio/x-raw,format=S24_32LE ! flacenc ! filesink location="%file%"
@echo off
set "status=%errorlevel%"
:end
call "%~dp0lib\end.cmd"
