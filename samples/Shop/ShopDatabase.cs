using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace Apm.Shop;

/// <summary>A service's SQLite file. Every statement is a client span with OpenTelemetry's database attributes.</summary>
internal sealed class ShopDatabase
{
    private readonly string _name;
    private readonly string _connectionString;
    private readonly Func<TimeSpan> _delay;

    /// <param name="delay">How long each statement is held up, when the database is made slow.</param>
    public ShopDatabase(ShopOptions options, string name, string schema, Func<TimeSpan>? delay = null)
    {
        _name = name;
        _delay = delay ?? (() => TimeSpan.Zero);
        _connectionString = new SqliteConnectionStringBuilder { DataSource = Path.Combine(options.DataDirectory!, $"{name}.db"), DefaultTimeout = 10 }.ToString();
        using var connection = new SqliteConnection(_connectionString);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; " + schema;
        command.ExecuteNonQuery();
    }

    public async Task<List<object?[]>> QueryAsync(string sql, params (string Name, object Value)[] parameters)
    {
        await using var connection = await OpenAsync();
        return await QueryAsync(connection, sql, parameters);
    }

    /// <summary>Runs the statements of one transaction: BEGIN and COMMIT are spans too.</summary>
    public async Task TransactAsync(Func<SqliteConnection, Task> statements)
    {
        await using var connection = await OpenAsync();
        await QueryAsync(connection, "BEGIN IMMEDIATE");
        try
        {
            await statements(connection);
        }
        catch
        {
            await QueryAsync(connection, "ROLLBACK");
            throw;
        }
        await QueryAsync(connection, "COMMIT");
    }

    public async Task<List<object?[]>> QueryAsync(SqliteConnection connection, string sql, params (string Name, object Value)[] parameters)
    {
        var words = sql.Split([' ', '(', '\n'], StringSplitOptions.RemoveEmptyEntries);
        var operation = words[0];
        var table = operation switch
        {
            "SELECT" => words[Array.IndexOf(words, "FROM") + 1],
            "INSERT" => words[Array.IndexOf(words, "INTO") + 1],
            "UPDATE" => words[1],
            "DELETE" => words[2],
            _ => null,
        };
        using var activity = RoleHost.Source.StartActivity(table is null ? operation : $"{operation} {table}", ActivityKind.Client);
        activity?.SetTag("db.system.name", "sqlite").SetTag("db.namespace", _name).SetTag("db.operation.name", operation).SetTag("db.query.text", sql);
        if (table is not null)
        {
            activity?.SetTag("db.collection.name", table);
        }
        try
        {
            var delay = _delay();
            if (delay > TimeSpan.Zero)
            {
                await Task.Delay(delay);
            }
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            foreach (var (name, value) in parameters)
            {
                command.Parameters.AddWithValue(name, value);
            }
            var rows = new List<object?[]>();
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                var row = new object?[reader.FieldCount];
                reader.GetValues(row!);
                rows.Add(row);
            }
            activity?.SetTag("db.response.returned_rows", rows.Count);
            return rows;
        }
        catch (SqliteException e)
        {
            activity?.SetTag("error.type", e.SqliteErrorCode.ToString(System.Globalization.CultureInfo.InvariantCulture)).AddException(e).SetStatus(ActivityStatusCode.Error, e.Message);
            throw;
        }
    }

    private async Task<SqliteConnection> OpenAsync()
    {
        var connection = new SqliteConnection(_connectionString);
        await connection.OpenAsync();
        return connection;
    }
}
