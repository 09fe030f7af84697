@rem SPDX-License-Identifier: LGPL-2.1-or-later
@rem What the scripts share: their options, finding GStreamer and the plugin. A script sets "does" (what it does),
@rem "extension" (of the file that it writes, if it does) and "more" (options of its own); after a call that succeeds, there
@rem are "gst_launch", "settings" (of zcloopbacksrc) and "file". What is set here is gone with the script's setlocal.
@echo off
set "status=2"
set "seconds="
set "file="
set "device="
set "process="
set "exclude="
set "settings="
set "clicked="
set "PROMPT=$S"

if defined cmdcmdline call :see_whether_clicked

:options
if "%~1"=="" goto check
if "%~1"=="-h" goto usage
if "%~1"=="-s" set "GST_DEBUG=zcloopbacksrc:4" & shift & goto options
if "%~1"=="-x" if defined more set "exclude=yes" & shift & goto options
if "%~2"=="" goto wrong
if "%~1"=="-d" set "seconds=%~2" & shift & shift & goto options
if "%~1"=="-o" if defined extension set "file=%~2" & shift & shift & goto options
if "%~1"=="-D" if not defined more set "device=%~2" & shift & shift & goto options
if "%~1"=="-p" if defined more set "process=%~2" & shift & shift & goto options
:wrong
echo %script%: there is no option "%~1", or it lacks its value. "%script% -h" tells those there are. 1>&2
exit /b 1

:usage
echo %does%
echo usage: %script% [options]
echo   -d SECONDS  ends after so long; without it Ctrl-C ends it
if defined extension echo   -o FILE     the file to write; without it capture.%extension% here, or capture-2.%extension% where there is one
if defined more echo   -p PROCESS  the process to listen to, and its children: its number, from the Task Manager's tab Details
if defined more echo   -x          listens to all but this process
if not defined more echo   -D DEVICE   the output to listen to, by name or id; without it the default output
echo   -s          shows the element's statistics at the end
set "status=0"
exit /b 1

:check
if defined more if not defined process set /p "process=Process to listen to (its number, from the Task Manager's tab Details): "
if defined more if not defined process goto no_process
if defined process set "number=%process%" & call :count || goto no_process
if defined process set "settings=%settings% process-id=%process%"
if defined exclude set "settings=%settings% process-mode=exclude"
if defined seconds set "number=%seconds%" & call :count || goto no_seconds
rem A packet is 10 ms long.
if defined seconds set /a "packets=seconds * 100"
if defined seconds set "settings=%settings% num-buffers=%packets%"
if defined device set "settings=%settings% "device=%device%""
if defined extension if not defined file call :new_file

:find
set "status=1"
set "gst_launch="
for %%p in (gst-launch-1.0.exe) do set "gst_launch=%%~$PATH:p"
call :try "%GSTREAMER_1_0_ROOT_MSVC_X86_64%"
call :try "%LOCALAPPDATA%\Programs\gstreamer\1.0\msvc_x86_64"
call :try "%ProgramFiles%\gstreamer\1.0\msvc_x86_64"
call :try "%SystemDrive%\gstreamer\1.0\msvc_x86_64"
if not defined gst_launch goto no_gstreamer
for %%f in ("%gst_launch%") do set "gst_folder=%%~dpf"

rem Where the zip has been unpacked, the plugin is beside the scripts.
for %%f in ("%~dp0..\..\lib\gstreamer-1.0") do set "plugins=%%~ff"
if not exist "%plugins%\gstzcloopback.dll" goto installed
if defined GST_PLUGIN_PATH_1_0 set "GST_PLUGIN_PATH_1_0=%plugins%;%GST_PLUGIN_PATH_1_0%" & goto installed
if defined GST_PLUGIN_PATH set "plugins=%plugins%;%GST_PLUGIN_PATH%"
set "GST_PLUGIN_PATH=%plugins%"
:installed
"%gst_folder%gst-inspect-1.0.exe" zcloopbacksrc >nul 2>nul || goto no_plugin

if not defined seconds echo Ctrl-C ends it; whatever the answer to what cmd then asks, the file is complete.
rem In a pipeline's description a backslash is none.
if defined file set "file=%file:\=/%"
exit /b 0

:try
if not defined gst_launch if exist "%~1\bin\gst-launch-1.0.exe" set "gst_launch=%~1\bin\gst-launch-1.0.exe"
exit /b 0

rem A double click runs: cmd.exe /c ""SCRIPT" ".
:see_whether_clicked
set "line=%cmdcmdline:"=?%"
if not "%line:/c ??=%"=="%line%" set "clicked=yes"
exit /b 0

rem Succeeds if number is one: digits, and not 0 first (which would make it octal).
:count
if "%number:~0,1%"=="0" exit /b 1
for /f "delims=0123456789" %%c in ("%number%") do exit /b 1
exit /b 0

:new_file
set "file=%cd%\capture.%extension%"
if not exist "%file%" exit /b 0
set "number=2"
:next_file
set "file=%cd%\capture-%number%.%extension%"
set /a "number=number + 1"
if exist "%file%" goto next_file
exit /b 0

:no_process
echo %script%: -p takes the number of a process, as the Task Manager's tab Details has it, not "%process%". 1>&2
exit /b 1

:no_seconds
echo %script%: -d takes whole seconds, 1 or more, not "%seconds%". 1>&2
exit /b 1

:no_gstreamer
echo %script%: GStreamer is not found: no gst-launch-1.0.exe in PATH, nor where its installer puts it. 1>&2
echo Install it from https://gstreamer.freedesktop.org/download/ (MSVC x86_64), or with "pip install gstreamer_bundle", 1>&2
echo and then open a new window. 1>&2
exit /b 1

:no_plugin
echo %script%: "%gst_launch%" does not know zcloopbacksrc. 1>&2
echo It needs the MSVC build of GStreamer, 1.28 or later, and gstzcloopback.dll in lib\gstreamer-1.0 beside its bin, or in 1>&2
echo the folder that GST_PLUGIN_PATH names. 1>&2
exit /b 1
