/* sql/dtmodel--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION dtmodel" to load this file. \quit

--
-- Changes and JSON (src/json)
--
