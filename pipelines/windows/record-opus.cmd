@rem SPDX-License-Identifier: LGPL-2.1-or-later
@echo off
setlocal DisableDelayedExpansion
set "script=%~n0"
set "does=Records what the computer plays into an Ogg file with Opus: small, and good enough for nearly every ear."
set "extension=opus"
set "more="
call "%~dp0lib\begin.cmd" %* || goto end
@echo on
"%gst_launch%" -q -e zcloopbacksrc%settings% ! audioconvert ! audioresample ! opusenc bitrate=128000 ! oggmux ! filesink location="%file%"
@echo off
set "status=%errorlevel%"
:end
call "%~dp0lib\end.cmd"
