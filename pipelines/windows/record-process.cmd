@rem SPDX-License-Identifier: LGPL-2.1-or-later
@echo off
setlocal DisableDelayedExpansion
set "script=%~n0"
set "does=Records what one process and its children play, or all but that, into a FLAC file of 24 bits. Needs Windows 11, or 10 from build 20348 on."
set "extension=flac"
set "more=yes"
call "%~dp0lib\begin.cmd" %* || goto end
@echo on
"%gst_launch%" -q -e zcloopbacksrc%settings% ! audioconvert ! audio/x-raw,format=S24_32LE ! flacenc ! filesink location="%file%"
@echo off
set "status=%errorlevel%"
:end
call "%~dp0lib\end.cmd"
